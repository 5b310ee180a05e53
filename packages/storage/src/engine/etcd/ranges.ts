/** Reading: everything as of one revision in pages, and some keys at once. */
import { ENGINE_LIMITS, type EngineEntry, EngineError, type EngineKey } from '@rollcall/core'
import type { Calls } from './calls.js'
import type { JoinedCharter } from './charter.js'
import { type PrefixKeys, keyAfter } from './keys.js'
import { COMPARE, type KeyValue, TxnRequest } from './messages.js'
import { ETCD_SIZES } from './options.js'
import { engineError, meaningOf } from './rpc-status.js'
import { RpcError } from './transport.js'

export interface RangesDeps {
  readonly calls: Calls
  readonly keys: PrefixKeys
}

/** Everything below the prefix but the charter, as `load` of the port. */
export function readAll(
  deps: RangesDeps,
  charter: JoinedCharter,
  page: (entries: readonly EngineEntry[]) => void,
): Promise<number> {
  return readPages(deps, charter, { keysOnly: false, told: (entry) => entry, page })
}

/** The keys of it, as `scan` of the port. */
export function scanAll(
  deps: RangesDeps,
  charter: JoinedCharter,
  page: (keys: readonly EngineKey[]) => void,
): Promise<number> {
  return readPages(deps, charter, { keysOnly: true, told: ({ key, revision }) => ({ key, revision }), page })
}

/**
 * Reads all keys below the prefix as of the revision of the first page, and resolves with it. Rejects with `compacted` when
 * that revision is forgotten meanwhile: what was told until then is no whole, and only the caller can begin again.
 */
async function readPages<T>(
  { calls, keys }: RangesDeps,
  charter: JoinedCharter,
  {
    keysOnly,
    told,
    page,
  }: {
    readonly keysOnly: boolean
    readonly told: (entry: EngineEntry) => T
    readonly page: (entries: readonly T[]) => void
  },
): Promise<number> {
  let limit: number = ETCD_SIZES.pageKeysFirst
  let revision = 0
  let key = keys.first
  let stands = false
  for (;;) {
    let answer
    try {
      answer = await calls.range({ key, rangeEnd: keys.end, limit, revision, keysOnly })
    } catch (error) {
      // Entries grew all at once: ask for fewer.
      if (!isTooLarge(error) || limit === 1) throw engineError(error)
      limit = Math.max(1, limit >> 3)
      continue
    }
    if (revision === 0) revision = answer.header.revision
    const { kvs } = answer
    const there = kvs.find((kv) => keys.isCharter(kv.key))
    if (there !== undefined) stands = keysOnly || there.value === charter.text
    const entries = kvs.flatMap((kv) => entryOf(keys, kv) ?? [])
    if (entries.length > 0) page(entries.map(told))
    const last = kvs.at(-1)
    if (!answer.more || last === undefined) {
      if (stands) return revision
      throw anotherCharter(keys)
    }
    key = keyAfter(last.key)
    limit = pageLimit(kvs)
  }
}

/** How many keys the next page asks for, so that it has about the size that pages should have. */
function pageLimit(kvs: readonly KeyValue[]): number {
  const bytes = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
  const fit = Math.floor((ETCD_SIZES.pageBytes * kvs.length) / Math.max(1, bytes))
  return Math.max(1, Math.min(ETCD_SIZES.pageKeysMax, fit))
}

/** Reads some keys as they are at one moment; at several, where the answer would be too large. */
export async function readKeys(
  deps: RangesDeps,
  charter: JoinedCharter,
  names: readonly string[],
): Promise<readonly EngineEntry[]> {
  const { calls, keys } = deps
  if (names.length === 0) return []
  if (names.length > ENGINE_LIMITS.writesMax) throw programError(`${names.length} keys at once`)
  const request = TxnRequest.encode({
    compare: [{ target: COMPARE.value, key: keys.charter, value: charter.text }],
    success: names.map((name) => ({ range: { key: Buffer.from(keys.stored(name)) } })),
  })
  try {
    const { succeeded, responses } = await calls.txn(request)
    if (!succeeded) throw anotherCharter(keys)
    return responses.flatMap(({ range }) => range?.kvs.flatMap((kv) => entryOf(keys, kv) ?? []) ?? [])
  } catch (error) {
    if (!isTooLarge(error) || names.length === 1) throw engineError(error)
    const middle = names.length >> 1
    const before = await readKeys(deps, charter, names.slice(0, middle))
    return [...before, ...(await readKeys(deps, charter, names.slice(middle)))]
  }
}

/** As the port names it; undefined for what is not ours. */
export function entryOf(keys: PrefixKeys, { key, value, modRevision }: KeyValue): EngineEntry | undefined {
  const name = keys.named(key)
  return name === undefined ? undefined : { key: name, value, revision: modRevision }
}

export function isTooLarge(error: unknown): boolean {
  return error instanceof RpcError && meaningOf(error) === 'size'
}

/** Not the etcd that was joined. */
export function anotherCharter(keys: PrefixKeys): EngineError {
  return new EngineError('epoch', `another charter stands at ${keys.charter}, or none`)
}

/** A mistake of the caller, which no repetition mends. */
export function programError(text: string): RangeError {
  return new RangeError(`the engine was asked for what it cannot do: ${text}`)
}
