/**
 * A small store of keys and values, for clients of a registry that look for their settings in it. It is in the memory of one
 * node: it knows no other, and forgets with it. Pure but for the index, which begins at the date of the boot.
 */
import type { ChangeWait, Clock } from '@rollcall/core'
import type { ConsulOptions } from './options.js'

export interface StoredPair {
  readonly key: string
  readonly value: Buffer
  readonly flags: number
  readonly createIndex: number
  readonly modifyIndex: number
}

/** How a write was taken: `full` and `large` are the bounds of the store. */
export type Stored = 'stored' | 'unchanged' | 'full' | 'large'

interface Waiter {
  readonly prefix: string
  readonly whole: boolean
  readonly wake: (changed: boolean) => void
}

const KEY_BYTES_MAX = 512

export class KeyValues {
  private readonly clock: Clock
  private readonly options: Pick<Required<ConsulOptions>, 'kvKeysMax' | 'kvBytesMax' | 'kvValueBytesMax'>
  private readonly pairs = new Map<string, StoredPair>()
  private readonly waiters = new Set<Waiter>()
  private bytes = 0
  private last: number

  constructor(clock: Clock, options: KeyValues['options']) {
    this.clock = clock
    this.options = options
    this.last = Math.max(1, Math.floor(clock.wallNow()) * 1_000)
  }

  /** Index of the last change of anything. */
  get index(): number {
    return this.last
  }

  get(key: string): StoredPair | undefined {
    return this.pairs.get(key)
  }

  /** All below a prefix, in order. */
  below(prefix: string): readonly StoredPair[] {
    return [...this.pairs.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** `cas`: only where the pair was last changed at this index; 0 = only where there is none. */
  put(key: string, value: Buffer, flags: number, cas: number | undefined): Stored {
    const { kvKeysMax, kvBytesMax, kvValueBytesMax } = this.options
    const before = this.pairs.get(key)
    if (cas !== undefined && (before?.modifyIndex ?? 0) !== cas) return 'unchanged'
    if (value.length > kvValueBytesMax || Buffer.byteLength(key) > KEY_BYTES_MAX) return 'large'
    const bytes = this.bytes + sizeOf(key, value) - (before === undefined ? 0 : sizeOf(key, before.value))
    if (bytes > kvBytesMax || (before === undefined && this.pairs.size >= kvKeysMax)) return 'full'
    this.bytes = bytes
    const modifyIndex = ++this.last
    this.pairs.set(key, { key, value, flags, createIndex: before?.createIndex ?? modifyIndex, modifyIndex })
    this.wake([key])
    return 'stored'
  }

  /** Takes out a key, or all below it. False where `cas` holds it back. */
  delete(key: string, recurse: boolean, cas: number | undefined): boolean {
    if (cas !== undefined && !recurse && (this.pairs.get(key)?.modifyIndex ?? 0) !== cas) return false
    const gone = recurse ? this.below(key) : [this.pairs.get(key)].filter((each) => each !== undefined)
    for (const pair of gone) {
      this.pairs.delete(pair.key)
      this.bytes -= sizeOf(pair.key, pair.value)
    }
    if (gone.length > 0) {
      this.last++
      this.wake(gone.map((pair) => pair.key))
    }
    return true
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
      const cancelTimer = this.clock.setTimer(timeoutMs, () => waiter.wake(false))
      cancel = () => waiter.wake(false)
      this.waiters.add(waiter)
    })
    return { changed, cancel: () => cancel() }
  }

  private wake(keys: readonly string[]): void {
    for (const waiter of [...this.waiters]) {
      const { prefix, whole } = waiter
      if (keys.some((key) => (whole ? key === prefix : key.startsWith(prefix)))) waiter.wake(true)
    }
  }
}

function sizeOf(key: string, value: Buffer): number {
  return Buffer.byteLength(key) + value.length
}
