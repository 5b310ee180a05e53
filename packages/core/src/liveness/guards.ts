/**
 * What stands between a judgement and its verdict: breakers, freeze and damping. Each can hold a verdict back;
 * none can invent one.
 */
import type { Guard } from '@rollcall/wire'
import { type Flaps, flipped, NO_FLAPS, returned } from './damping.js'
import type { Entry, ServiceNode } from '../directory/directory.js'
import type { Freezes } from '../directory/freezes.js'
import type { Notify } from './notices.js'
import type { StoredRecord, VerdictValue } from '../records/record.js'
import { ServiceBreaker } from './service-breaker.js'
import { type HoldReason, standingOf, type Transition } from './transitions.js'
import type { Evidence } from './evidence.js'
import type { LivenessOptions } from './options.js'
import { WatcherBreaker } from './watcher-breaker.js'

/** A held verdict is looked at again after this long. */
export const HOLD_MS = 500

/** After an island the node waits this long for what its peers hear: they may join 5 s later, and then beats have to come. */
const HEALING_MS = 15_000

/** A verdict as it may be written. */
export type Ruling = Pick<Transition, 'value' | 'reason'>

/** How much is not believed at present. */
export interface Doubts {
  /** Services that keep silent instances, and how many they keep together. */
  readonly services: number
  readonly kept: number
  /** Zones in which the node doubts its ears. */
  readonly zones: number
}

/** How long an instance has been silent, and when that counts. */
export interface Silence {
  readonly t: number
  readonly leaseMs: number
  readonly silentMs: number
}

export class Guards {
  private readonly options: LivenessOptions
  private readonly freezes: Freezes
  private readonly watcher: WatcherBreaker
  private readonly services: ServiceBreaker
  /** Until when it is an island, or was lately. */
  private islandUntil = -Infinity

  constructor(options: LivenessOptions, freezes: Freezes, notify: Notify) {
    this.options = options
    this.freezes = freezes
    this.watcher = new WatcherBreaker(options.watcherBreaker, notify)
    this.services = new ServiceBreaker(options.serviceBreaker, notify)
  }

  /** The instance was heard. Cheap when nothing was wrong with it. */
  heard(evidence: Evidence): void {
    if (evidence.countedIn === undefined) {
      evidence.countedIn = zoneOf(evidence.entry.record)
      if (evidence.countedIn === undefined) return
      this.watcher.joined(evidence.countedIn)
    } else if (evidence.noticed) {
      this.watcher.spoke(evidence.countedIn, evidence)
    }
    evidence.noticed = false
    if (evidence.held !== undefined) this.release(evidence)
  }

  /** The node lost the engine, or has it again: until then nothing goes down or expires by silence. */
  isolate(island: boolean, t: number): void {
    if (island) this.islandUntil = Infinity
    else if (this.islandUntil === Infinity) this.islandUntil = t + HEALING_MS
  }

  /** Another node could not reach it either: its silence is believed, whatever the node thinks of its ears. */
  confirmed(evidence: Evidence): void {
    if (evidence.countedIn === undefined) return
    evidence.noticed = true
    this.watcher.settled(evidence.countedIn, evidence)
  }

  /** What the breaker of a service does at present. */
  guardOf(service: ServiceNode | undefined): Guard {
    return this.services.guardOf(service)
  }

  /** The share of a service that silence may take at once, by what it declared: all of it where the breaker is off. */
  shareOf(service: ServiceNode | undefined): number {
    const { enabled, share } = this.services.optionsOf(service)
    return enabled ? share : 1
  }

  /** How much is not believed at present. */
  doubts(): Doubts {
    return { ...this.services.tripped(), zones: this.watcher.doubted }
  }

  /** The node no longer observes it. */
  left(evidence: Evidence): void {
    this.release(evidence)
    if (evidence.countedIn !== undefined) this.watcher.left(evidence.countedIn, evidence)
    evidence.countedIn = undefined
  }

  /** It may name another zone than before, or be static now: it counts where it is. */
  recount(evidence: Evidence): void {
    const { countedIn } = evidence
    const zone = zoneOf(evidence.entry.record)
    if (countedIn === undefined || countedIn === zone) return
    this.left(evidence)
    if (zone === undefined) return
    evidence.countedIn = zone
    this.watcher.joined(zone)
  }

  /** Its silence was noticed. */
  fellSilent(evidence: Evidence, t: number, leaseMs: number): void {
    evidence.noticed = true
    if (evidence.countedIn !== undefined) this.watcher.fellSilent(evidence.countedIn, evidence, t, leaseMs)
  }

  /** Its record changed, by whatever hand: keeps the count of silent deaths, and of those that may follow. */
  account({ service, key, record }: Entry): void {
    this.services.account(service, key, standingOf(record), record.verdict.node)
  }

  /** Whether a repeated refusal is believed at once. If so its silence, noticed or not, is explained. */
  believesRefusal(evidence: Evidence, t: number, leaseMs: number): boolean {
    if (!this.watcher.believesRefusal(evidence.countedIn ?? '', t, leaseMs)) return false
    evidence.noticed = true
    if (evidence.countedIn !== undefined) this.watcher.settled(evidence.countedIn, evidence)
    return true
  }

  /**
   * The verdict as it may be written, or which of its guards holds it back. Silence passes if the node trusts its ears,
   * and deaths by it only within the service's share; after very long silence in good health they leave that count.
   */
  rule(
    evidence: Evidence,
    { value, reason, guards, late }: Transition,
    silence: Silence,
  ): Ruling | HoldReason {
    const { entry } = evidence
    const { t, leaseMs, silentMs } = silence
    const heard = evidence.countedIn
    if (guards.includes('watcher_doubt') && heard !== undefined) {
      if (!this.watcher.trustsSilence(heard, evidence, t, leaseMs)) return 'watcher_doubt'
    }
    if (guards.includes('island') && t < this.islandUntil) return 'island'
    if (guards.includes('freeze') && this.freezes.covers(entry.record.namespace)) return 'freeze'
    const counted = guards.includes('service_breaker') && silentMs < this.options.unheardMs
    if (counted && !this.breakerPermits(value, entry, t)) return 'service_breaker'
    if (value === 'expired' && heard !== undefined) this.watcher.settled(heard, evidence)
    return { value, reason: counted ? reason : (late ?? reason) }
  }

  /** While the breaker keeps others of the service, nothing that silence took is removed. */
  private breakerPermits(value: VerdictValue, { service, key }: Entry, t: number): boolean {
    return value === 'expired'
      ? !this.services.guardOf(service).tripped
      : this.services.permitsDeath(service, key, t)
  }

  /** The verdict is no longer held back. */
  release(evidence: Evidence): void {
    evidence.held = undefined
    this.services.release(evidence.entry.service, evidence.entry.key)
  }

  /** Since when the node doubts its ears where this instance is; undefined if it trusts them. */
  doubtedAt(evidence: Evidence): number | undefined {
    return evidence.countedIn === undefined ? undefined : this.watcher.doubtedAt(evidence.countedIn, evidence)
  }

  /** Whether silence counts for nothing at present, whatever share of the service it took. */
  refusesSilence(evidence: Evidence, t: number): boolean {
    const { namespace } = evidence.entry.record
    return this.doubtedAt(evidence) !== undefined || t < this.islandUntil || this.freezes.covers(namespace)
  }

  /** One flip of the instance. */
  flip(flaps: Flaps, t: number): Flaps {
    return flipped(flaps, t, this.options.damping)
  }

  /** What a new evidence knows of the old one's flips; losing a live incarnation to another is one more. */
  inherit({ record }: Entry, before: Evidence | undefined, t: number): Flaps {
    if (before === undefined) return standingOf(record) === 'flapping' ? this.adopted(t) : NO_FLAPS
    if (record.content.intent === 'gone') return before.flaps
    const replaced =
      before.incarnation !== record.incarnation && before.countedIn !== undefined && !before.noticed
    return replaced ? this.flip(before.flaps, t) : before.flaps
  }

  /** The flaps of an instance that an earlier judge damped: the shortest bout, from now on. */
  private adopted(t: number): Flaps {
    const { holdMsMin } = this.options.damping
    return { flipsAt: [], holdMs: holdMsMin, until: t + holdMsMin }
  }

  /** This node judges it from now on: one that was damped has to behave here. */
  takeOver(evidence: Evidence, t: number): void {
    if (standingOf(evidence.entry.record) === 'flapping') evidence.flaps = this.adopted(t)
  }

  /** Notes that it is back. True if it has to behave first; never the last one of its service that is up. */
  comesBack(evidence: Evidence, t: number): boolean {
    evidence.flaps = returned(evidence.flaps, t, this.options.damping)
    return t < evidence.flaps.until && othersUp(evidence.entry)
  }
}

/** Where an instance counts among those that a node hears; undefined where nothing is heard of it. */
function zoneOf({ content }: StoredRecord): string | undefined {
  return content.intent === 'gone' || content.liveness === 'static' ? undefined : (content.zone ?? '')
}

function othersUp(entry: Entry): boolean {
  let up = entry.state === 'up' ? -1 : 0
  for (const group of entry.service.groups.values()) up += group.up
  return up > 0
}
