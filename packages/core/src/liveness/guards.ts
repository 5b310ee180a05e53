/**
 * What stands between a judgement and its verdict: breakers, freeze and damping. Each can hold a verdict back;
 * none can invent one.
 */
import { type Flaps, flipped, returned } from './damping.js'
import type { Entry } from '../directory/directory.js'
import type { Notify } from '../operators/notices.js'
import type { StoredRecord, VerdictValue } from '../records/record.js'
import { ServiceBreaker } from './service-breaker.js'
import type { HoldReason, LivenessOptions, Watch } from './watch.js'
import { WatcherBreaker } from './watcher-breaker.js'

/** A verdict that judgement proposes. */
export interface Proposal {
  readonly value: VerdictValue
  readonly reason: string
}

/** A held verdict is looked at again after this long. */
export const HOLD_MS = 500

/** Reasons of verdicts that rest on silence alone. */
const SILENCE: ReadonlySet<string> = new Set(['silence', 'unheard', 'session_closed'])

/** Reason of a death by silence so long that the breaker no longer counts it. */
const LONG_SILENCE = 'long_silence'

/** Whether silence (and nothing better) holds the instance down. */
function isSilentDeath({ content, verdict }: StoredRecord): boolean {
  return content.intent !== 'gone' && verdict.value === 'down' && SILENCE.has(verdict.reason)
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
    this.services.account(entry.service, entry.key, isSilentDeath(entry.record))
  }

  /** Whether a repeated refusal is believed at once. If so its silence, noticed or not, is explained. */
  believesRefusal(watch: Watch, t: number, leaseMs: number): boolean {
    if (!this.watcher.believesRefusal(watch.countedIn ?? '', t, leaseMs)) return false
    watch.noticed = true
    if (watch.countedIn !== undefined) this.watcher.settled(watch.countedIn, watch)
    return true
  }

  /**
   * The proposal as it may be written, or what holds it back. Refusals pass: they are facts. Silence passes
   * if the node trusts its ears, and deaths by it only within the service's share; after very long silence
   * in good health they leave that count.
   */
  rule(
    watch: Watch,
    proposal: Proposal,
    t: number,
    leaseMs: number,
    silentMs: number,
  ): Proposal | HoldReason {
    const { entry } = watch
    const { record, service } = entry
    if (proposal.value === 'expired') {
      if (this.frozen(record.namespace)) return 'freeze'
      const young = silentMs < this.options.unheardMs
      if (service.guard.tripped && young && isSilentDeath(record)) return 'service_breaker'
      if (watch.countedIn !== undefined) this.watcher.settled(watch.countedIn, watch)
      return proposal
    }
    if (!SILENCE.has(proposal.reason)) return proposal
    if (watch.countedIn !== undefined && !this.watcher.trustsSilence(watch.countedIn, watch, t, leaseMs))
      return 'watcher_doubt'
    if (proposal.value !== 'down') return proposal
    if (this.frozen(record.namespace)) return 'freeze'
    if (silentMs >= this.options.unheardMs) return { value: 'down', reason: LONG_SILENCE }
    return this.services.permitsDeath(service, entry.key) ? proposal : 'service_breaker'
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
