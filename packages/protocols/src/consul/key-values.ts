/**
 * A small store of keys and values, for clients of a registry that look for their settings in it. The registry keeps the values:
 * they outlive a restart and are on every node. Each write has a number, the same everywhere; that of the store is this node's.
 */
import type { Caller, ChangeWait, Clock, KeptValue, Queries, Registry } from '@rollcall/core'
import { CALLER } from './caller.js'
import { NAMESPACE, PROTOCOL } from './mapping.js'
import type { ConsulOptions } from './options.js'
import { RecentNames } from './recent-names.js'

export interface StoredPair {
  readonly key: string
  readonly value: Buffer
  readonly flags: number
  readonly createIndex: number
  readonly modifyIndex: number
}

/** How a write was taken: `full` and `large` are the bounds of the store. */
export type Stored = 'stored' | 'unchanged' | 'full' | 'large'

/** What is kept of a pair. */
interface PairDocument {
  /** Base64. */
  readonly value: string
  readonly flags: number
  /** When there was none before, milliseconds since the epoch. */
  readonly created: number
}

interface Waiter {
  readonly prefix: string
  readonly whole: boolean
  readonly wake: (changed: boolean) => void
}

export interface KeyValuesDeps {
  readonly registry: Pick<Registry, 'read' | 'follow' | 'execute'>
  readonly clock: Clock
}

const KEY_BYTES_MAX = 512
/** As for services (`changes.ts`): a change is news for so long, and what other nodes say is here by then. */
const RECENT_MS = 1_000
const OTHER_MS = 250
/** The one name of which it is noted when it changed. */
const STORE = 'store'

export class KeyValues {
  private readonly deps: KeyValuesDeps
  private readonly options: Pick<Required<ConsulOptions>, 'kvKeysMax' | 'kvBytesMax' | 'kvValueBytesMax'>
  private readonly read: Queries
  private readonly recent: RecentNames
  private readonly waiters = new Set<Waiter>()
  private unfollow: (() => void) | undefined
  private at = 0

  constructor(deps: KeyValuesDeps, options: KeyValues['options']) {
    this.deps = deps
    this.options = options
    this.read = deps.registry.read(CALLER)
    this.recent = new RecentNames(deps.clock, RECENT_MS)
  }

  start(): void {
    this.unfollow = this.deps.registry.follow(() => this.look(), CALLER)
    this.at = this.read.valuesSince(0).index
  }

  close(): void {
    this.unfollow?.()
  }

  /** Index of the last change of anything; at least 1. */
  get index(): number {
    return Math.max(1, this.read.valuesSince(this.at).index)
  }

  get(key: string): StoredPair | undefined {
    const kept = this.read.value(nameOf(key))
    return kept === undefined ? undefined : pairOf(kept)
  }

  /** All below a prefix, in order. */
  below(prefix: string): readonly StoredPair[] {
    return this.read
      .valuesBelow(nameOf(prefix))
      .map(pairOf)
      .filter((pair) => pair !== undefined)
  }

  /** `cas`: only where the pair was last changed at this index; 0 = only where there is none. */
  async put(
    key: string,
    value: Buffer,
    { flags, cas }: { readonly flags: number; readonly cas: number | undefined },
    caller: Caller,
  ): Promise<Stored> {
    const { kvKeysMax, kvBytesMax, kvValueBytesMax } = this.options
    if (value.length > kvValueBytesMax || Buffer.byteLength(key) > KEY_BYTES_MAX) return 'large'
    const others = this.below('').filter((pair) => pair.key !== key)
    const bytes = others.reduce((sum, pair) => sum + sizeOf(pair.key, pair.value), sizeOf(key, value))
    if (bytes > kvBytesMax || others.length >= kvKeysMax) return 'full'
    const created = this.get(key)?.createIndex ?? Math.floor(this.deps.clock.wallNow())
    const document: PairDocument = { value: value.toString('base64'), flags, created }
    return (await this.keep(key, JSON.stringify(document), cas, caller)) ? 'stored' : 'unchanged'
  }

  /** Takes out a key, or all below it. False where `cas` holds it back. */
  async delete(key: string, recurse: boolean, cas: number | undefined, caller: Caller): Promise<boolean> {
    if (!recurse) return this.keep(key, null, cas, caller)
    await Promise.all(this.below(key).map((pair) => this.keep(pair.key, null, undefined, caller)))
    return true
  }

  private async keep(
    key: string,
    document: string | null,
    cas: number | undefined,
    caller: Caller,
  ): Promise<boolean> {
    const expected = cas === undefined ? {} : { expected: cas }
    const { answer } = await this.deps.registry.execute(
      { kind: 'keepValue', ...nameOf(key), document, ...expected },
      caller,
    )
    return answer.kept
  }

  /** How long a client that shows an index may be kept waiting, of `timeoutMs`. */
  patience(seen: number, timeoutMs: number): number {
    if (seen === this.index) return timeoutMs
    return this.recent.has(STORE) ? 0 : Math.min(timeoutMs, OTHER_MS)
  }

  /** Waits for a change of a key, or of anything below it. */
  wait(prefix: string, whole: boolean, timeoutMs: number): ChangeWait {
    let cancel = (): void => {}
    const changed = new Promise<boolean>((resolve) => {
      const waiter: Waiter = {
        prefix,
        whole,
        wake: (result) => {
          this.waiters.delete(waiter)
          cancelTimer()
          resolve(result)
        },
      }
      const cancelTimer = this.deps.clock.setTimer(timeoutMs, () => waiter.wake(false))
      cancel = () => waiter.wake(false)
      this.waiters.add(waiter)
    })
    return { changed, cancel: () => cancel() }
  }

  private look(): void {
    const { index, keys } = this.read.valuesSince(this.at)
    if (index === this.at) return
    this.at = index
    this.recent.add(STORE)
    for (const waiter of [...this.waiters]) {
      const { prefix, whole } = waiter
      if (keys === 'all' || keys.some((key) => (whole ? key === prefix : key.startsWith(prefix))))
        waiter.wake(true)
    }
  }
}

function nameOf(key: string): {
  readonly namespace: string
  readonly protocol: string
  readonly key: string
} {
  return { namespace: NAMESPACE, protocol: PROTOCOL, key }
}

/** Pairs that were read before, so that a prefix that hundreds watch is not decoded for each of them. */
const PAIRS = new WeakMap<KeptValue, StoredPair>()

/** Undefined where it is none that this version writes. */
function pairOf(kept: KeptValue): StoredPair | undefined {
  const known = PAIRS.get(kept)
  if (known !== undefined) return known
  const pair = readPair(kept)
  if (pair !== undefined) PAIRS.set(kept, pair)
  return pair
}

function readPair({ key, document, counter }: KeptValue): StoredPair | undefined {
  let kept: unknown
  try {
    kept = JSON.parse(document)
  } catch {
    return undefined
  }
  const { value, flags, created } = (kept ?? {}) as Readonly<Record<string, unknown>>
  if (typeof value !== 'string' || typeof flags !== 'number' || typeof created !== 'number') return undefined
  const createIndex = Math.max(1, Math.min(created, counter))
  return { key, value: Buffer.from(value, 'base64'), flags, createIndex, modifyIndex: counter }
}

function sizeOf(key: string, value: Buffer): number {
  return Buffer.byteLength(key) + value.length
}
