/** When a list may replace its snapshot. */
import type { Instance } from '@rollcall/wire'
import type { MirrorChange } from './mirror.js'
import { instanceKey } from '../machine/keys.js'

/**
 * Decides whether a list may replace the snapshot of a service. A list of which more than half was lost by
 * silence since the last good one (vanished without deregistration, or down) may be the registry's fault
 * and is not saved, unless it has stayed so for `shrunkMs`.
 */
export class SavePolicy {
  private readonly shrunkMs: number
  private good: ReadonlySet<string> = new Set()
  private readonly left = new Set<string>()
  private shrunkSince: number | undefined

  constructor(shrunkMs: number) {
    this.shrunkMs = shrunkMs
  }

  /** A list that is good: it was saved, or just loaded. */
  saved(list: readonly Instance[]): void {
    this.good = new Set(list.filter(alive).map(instanceKey))
    this.left.clear()
    this.shrunkSince = undefined
  }

  /** Remembers what was deregistered. Bounded by the last good list. */
  observe(change: MirrorChange): void {
    for (const { instance, reason } of change.removes) {
      const key = instanceKey(instance)
      if (reason === 'deregistered' && this.good.has(key)) this.left.add(key)
    }
  }

  /** When the list may be saved: `now`, or the moment until which it has to stay as it is. */
  saveAt(now: number, list: readonly Instance[]): number {
    const present = new Set(list.filter((instance) => instance.state !== 'down').map(instanceKey))
    let lost = 0
    for (const key of this.good) if (!present.has(key) && !this.left.has(key)) lost += 1
    if (lost * 2 <= this.good.size) {
      this.shrunkSince = undefined
      return now
    }
    this.shrunkSince ??= now
    return Math.max(now, this.shrunkSince + this.shrunkMs)
  }
}

function alive(instance: Instance): boolean {
  return instance.state !== 'down' && instance.state !== 'disabled'
}
