/**
 * Batches of writes, each of which stands by itself for the port, while a transaction of etcd is all or nothing: what a
 * conflict speaks against is taken out, and the rest is tried again.
 */
import { ENGINE_LIMITS, EngineError, type EngineWrite, type EngineWritten } from '@rollcall/core'
import type { Calls } from './calls.js'
import type { JoinedCharter } from './charter.js'
import type { Health } from './health.js'
import { CHARTER, type PrefixKeys } from './keys.js'
import type { SharedLeases } from './leases.js'
import { COMPARE, TxnRequest, type TxnResponse } from './messages.js'
import { ETCD_SIZES } from './options.js'
import type { Partly } from './protobuf.js'
import { anotherCharter, isTooLarge, programError } from './ranges.js'
import { engineError, meaningOf } from './rpc-status.js'
import { RpcError } from './transport.js'

export interface WritesDeps {
  readonly calls: Calls
  readonly keys: PrefixKeys
  readonly leases: SharedLeases
  /** Looks for the alarm when etcd is full. */
  readonly health: Health
}

/** A batch that other nodes get in the way of this often is given back: the writer merges what it knows by then. */
const ROUNDS_MAX = 8
/** A lease that is granted anew and gone again: etcd is being wiped or restored. */
const GRANTS_MAX = 3

/** A write with its place in the batch. */
interface Numbered extends EngineWrite {
  readonly index: number
}

/** What a batch knows while it is tried. */
interface Batch {
  readonly charter: JoinedCharter
  readonly outcomes: (EngineWritten | undefined)[]
  /** An attempt failed without an answer: what stands there may be ours. */
  unsure: boolean
}

export async function writeBatch(
  deps: WritesDeps,
  charter: JoinedCharter,
  epoch: string,
  writes: readonly EngineWrite[],
): Promise<readonly EngineWritten[]> {
  checkWrites(writes)
  const stands = charter.charter.epoch
  if (stands !== epoch) throw new EngineError('epoch', `the epoch of the cluster is ${stands}, not ${epoch}`)
  const batch: Batch = { charter, outcomes: [], unsure: false }
  try {
    await writeSome(
      deps,
      batch,
      writes.map((write, index) => ({ ...write, index })),
    )
  } catch (error) {
    const known = engineError(error)
    if (known instanceof EngineError && known.failure === 'full') deps.health.look()
    throw known
  }
  return batch.outcomes as EngineWritten[]
}

/** Throws for what is a mistake of the caller. */
function checkWrites(writes: readonly EngineWrite[]): void {
  const { writesMax, bytesMax } = ENGINE_LIMITS
  if (writes.length > writesMax) throw programError(`${writes.length} writes at once`)
  if (new Set(writes.map(({ key }) => key)).size < writes.length)
    throw programError('two writes of one key at once')
  let bytes = 0
  for (const { key, value, ttlMs } of writes) {
    if (key === '' || key === CHARTER) throw programError(`a write of the key '${key}'`)
    if (ttlMs !== undefined && !(ttlMs > 0)) throw programError(`a life of ${ttlMs} ms`)
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > bytesMax) throw programError(`writes of ${bytes} bytes at once`)
}

async function writeSome(deps: WritesDeps, batch: Batch, writes: readonly Numbered[]): Promise<void> {
  let rest = writes
  for (let round = 0; rest.length > 0; round += 1) {
    if (round === ROUNDS_MAX) throw new EngineError('unavailable', 'others write the same keys all the time')
    const answer = await transact(deps, batch, rest)
    if (answer === 'too large') return writeHalves(deps, batch, rest)
    if (answer.succeeded) {
      const revision = answer.header?.revision ?? 0
      for (const { index } of rest) batch.outcomes[index] = { ok: true, revision }
      return
    }
    rest = withoutConflicts(deps, batch, rest, answer)
  }
}

async function writeHalves(deps: WritesDeps, batch: Batch, writes: readonly Numbered[]): Promise<void> {
  if (writes.length === 1) throw programError(`etcd takes no write as large as that of ${writes[0]?.key}`)
  const middle = writes.length >> 1
  await writeSome(deps, batch, writes.slice(0, middle))
  await writeSome(deps, batch, writes.slice(middle))
}

/** One transaction, with leases that the server knows. */
async function transact(
  deps: WritesDeps,
  batch: Batch,
  writes: readonly Numbered[],
): Promise<TxnResponse | 'too large'> {
  for (let grants = 1; ; grants += 1) {
    const leases = await leasesOf(deps.leases, writes)
    const message = TxnRequest.encode(transaction(deps.keys, batch.charter, writes, leases))
    if (message.length > ETCD_SIZES.requestBytesMax && writes.length > 1) return 'too large'
    try {
      return await deps.calls.txn(message, { failed: () => (batch.unsure = true) })
    } catch (error) {
      if (isTooLarge(error)) return 'too large'
      if (!(error instanceof RpcError) || meaningOf(error) !== 'lease' || grants === GRANTS_MAX) throw error
      for (const id of leases.values()) deps.leases.gone(id)
    }
  }
}

async function leasesOf(leases: SharedLeases, writes: readonly EngineWrite[]): Promise<Map<number, bigint>> {
  const found = new Map<number, bigint>()
  for (const { ttlMs } of writes) {
    if (ttlMs !== undefined && !found.has(ttlMs)) found.set(ttlMs, await leases.of(ttlMs))
  }
  return found
}

/** All of it if every key is as its writer knows it; else a look at all of them, at the charter first. */
function transaction(
  keys: PrefixKeys,
  charter: JoinedCharter,
  writes: readonly EngineWrite[],
  leases: ReadonlyMap<number, bigint>,
): Partly<TxnRequest> {
  const stored = writes.map(({ key }) => keys.stored(key))
  return {
    compare: [
      { target: COMPARE.value, key: keys.charter, value: charter.text },
      ...writes.map(({ expected }, at) => ({
        target: COMPARE.mod,
        key: stored[at] as string,
        modRevision: expected,
      })),
    ],
    success: writes.map(({ value, ttlMs }, at) => ({
      put: {
        key: stored[at] as string,
        value,
        lease: (ttlMs === undefined ? undefined : leases.get(ttlMs)) ?? 0n,
      },
    })),
    failure: [keys.charter, ...stored].map((key) => ({ range: { key: Buffer.from(key) } })),
  }
}

/** Notes what each conflict found, and gives back the writes that nothing speaks against. */
function withoutConflicts(
  { keys }: WritesDeps,
  batch: Batch,
  writes: readonly Numbered[],
  { responses }: TxnResponse,
): readonly Numbered[] {
  if (responses[0]?.range?.kvs[0]?.value !== batch.charter.text) throw anotherCharter(keys)
  return writes.filter(({ index, key, value, expected }, at) => {
    const kv = responses[at + 1]?.range?.kvs[0]
    const revision = kv?.modRevision ?? 0
    if (revision === expected) return true
    // An earlier attempt, the answer of which was lost, may have written it.
    if (batch.unsure && kv?.value === value) batch.outcomes[index] = { ok: true, revision }
    else batch.outcomes[index] = { ok: false, stored: kv && { key, value: kv.value, revision } }
    return false
  })
}
