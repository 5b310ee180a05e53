/**
 * What stands between a judgement and its verdict: breakers, freeze and damping. Each can hold a verdict back;
 * none can invent one.
 */
import { type Flaps, flipped, returned } from './damping.js'
import type { Entry } from '../directory/directory.js'
import type { Notify } from '../operators/notices.js'
import type { VerdictValue } from '../records/record.js'
import { ServiceBreaker } from './service-breaker.js'
import { type HoldReason, standingOf, type Transition } from './transitions.js'
import type { LivenessOptions, Watch } from './watch.js'
import { WatcherBreaker } from './watcher-breaker.js'

/** A held verdict is looked at again after this long. */
export const HOLD_MS = 500

/** A verdict as it may be written. */
export type Ruling = Pick<Transition, 'value' | 'reason'>

/** How long an instance has been silent, and when that counts. */
export interface Silence {
  readonly t: number
  readonly leaseMs: number
  readonly silentMs: number
}

export class Guards {
  private readonly options: LivenessOptions
  private readonly frozen: (namespace: string) => boolean
  private readonly watcher: WatcherBreaker
  private readonly services: ServiceBreaker

  constructor(options: LivenessOptions, frozen: (namespace: string) => boolean, notify: Notify) {
    this.options = options
    this.frozen = frozen
    this.watcher = new WatcherBreaker(options.watcherBreaker, notify)
    this.services = new ServiceBreaker(options.serviceBreaker, notify)
  }

  /** The instance was heard. Cheap when nothing was wrong with it. */
  heard(watch: Watch): void {
    if (watch.countedIn === undefined) {
      const { content } = watch.entry.record
      if (content.intent === 'gone' || content.liveness === 'static') return
      watch.countedIn = content.zone ?? ''
      this.watcher.joined(watch.countedIn)
    } else if (watch.noticed) {
      this.watcher.spoke(watch.countedIn, watch)
    }
    watch.noticed = false
    if (watch.held !== undefined) this.release(watch)
  }

  /** The node no longer watches it. */
  left(watch: Watch): void {
    this.release(watch)
    if (watch.countedIn !== undefined) this.watcher.left(watch.countedIn, watch)
    watch.countedIn = undefined
  }

  /** Its silence was noticed. */
  fellSilent(watch: Watch, t: number, leaseMs: number): void {
    watch.noticed = true
    if (watch.countedIn !== undefined) this.watcher.fellSilent(watch.countedIn, watch, t, leaseMs)
  }

  /** Its record changed, by whatever hand: keeps the count of silent deaths. */
  account(entry: Entry): void {
    this.services.account(entry.service, entry.key, standingOf(entry.record) === 'lost')
  }

  /** Whether a repeated refusal is believed at once. If so its silence, noticed or not, is explained. */
  believesRefusal(watch: Watch, t: number, leaseMs: number): boolean {
    if (!this.watcher.believesRefusal(watch.countedIn ?? '', t, leaseMs)) return false
    watch.noticed = true
    if (watch.countedIn !== undefined) this.watcher.settled(watch.countedIn, watch)
    return true
  }

  /**
   * The verdict as it may be written, or which of its guards holds it back. Silence passes if the node trusts its ears,
   * and deaths by it only within the service's share; after very long silence in good health they leave that count.
   */
  rule(watch: Watch, { value, reason, guards, late }: Transition, silence: Silence): Ruling | HoldReason {
    const { entry } = watch
    const { t, leaseMs, silentMs } = silence
    const heard = watch.countedIn
    if (guards.includes('watcher_doubt') && heard !== undefined) {
      if (!this.watcher.trustsSilence(heard, watch, t, leaseMs)) return 'watcher_doubt'
    }
    if (guards.includes('freeze') && this.frozen(entry.record.namespace)) return 'freeze'
    const counted = guards.includes('service_breaker') && silentMs < this.options.unheardMs
    if (counted && !this.breakerPermits(value, entry)) return 'service_breaker'
    if (value === 'expired' && heard !== undefined) this.watcher.settled(heard, watch)
    return { value, reason: counted ? reason : (late ?? reason) }
  }

  /** While the breaker keeps others of the service, nothing that silence took is removed. */
  private breakerPermits(value: VerdictValue, { service, key }: Entry): boolean {
    return value === 'expired' ? !service.guard.tripped : this.services.permitsDeath(service, key)
  }

  /** The verdict is no longer held back. */
  release(watch: Watch): void {
    watch.held = undefined
    this.services.release(watch.entry.service, watch.entry.key)
  }

  /** Since when the node doubts its ears where this instance is; undefined if it trusts them. */
  doubtedAt(watch: Watch): number | undefined {
    return watch.countedIn === undefined ? undefined : this.watcher.doubtedAt(watch.countedIn, watch)
  }

  /** One flip of the instance. */
  flip(flaps: Flaps, t: number): Flaps {
    return flipped(flaps, t, this.options.damping)
  }

  /** The flaps of an instance that an earlier judge damped: the shortest bout, from now on. */
  adopted(t: number): Flaps {
    const { holdMsMin } = this.options.damping
    return { flipsAt: [], holdMs: holdMsMin, until: t + holdMsMin }
  }

  /** It is back: whether it has to behave first. Never the last one of its service that is up. */
  comeBack(watch: Watch, t: number): { readonly flaps: Flaps; readonly damped: boolean } {
    const flaps = returned(watch.flaps, t, this.options.damping)
    return { flaps, damped: t < flaps.until && othersUp(watch.entry) }
  }
}

function othersUp(entry: Entry): boolean {
  let up = entry.state === 'up' ? -1 : 0
  for (const group of entry.service.groups.values()) up += group.up
  return up > 0
}
