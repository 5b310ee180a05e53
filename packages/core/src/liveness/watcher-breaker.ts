/**
 * The first half of the breaker doubts the watcher: when much of what a node hears in a zone falls silent at
 * once, it is more likely deaf than they are dead. Refusals are facts and pass, but a firewall that refuses
 * everything at once must insist for one lease.
 */
import type { Notify } from '../operators/notices.js'
import type { Watch } from './watch.js'

export interface WatcherBreakerOptions {
  /** More than this share of what the node hears in a zone falling silent within a lease is doubted. */
  readonly share: number
  /** …but never fewer instances than this. */
  readonly instancesMin: number
  /** Doubt that lasts this many leases, while something else is heard in the zone, lets suspects through. */
  readonly doubtLeases: number
  /** Refusals beyond this share of what the node hears in a zone wait for one lease. */
  readonly refusalShare: number
  /** …but never fewer instances than this. */
  readonly refusalsMin: number
}

export const WATCHER_BREAKER_DEFAULTS: WatcherBreakerOptions = {
  share: 0.1,
  instancesMin: 5,
  doubtLeases: 2,
  refusalShare: 0.5,
  refusalsMin: 20,
}

/** What a node hears in one zone. */
interface Zone {
  readonly name: string
  /** Instances this node heard and still watches. */
  heard: number
  /** Those of them that are silent at present, with the moment at which it was noticed. */
  readonly silent: Map<Watch, number>
  /** Moments of refusals that were believed, oldest first. */
  refusedAt: number[]
  doubtedAt: number | undefined
}

export class WatcherBreaker {
  private readonly options: WatcherBreakerOptions
  private readonly notify: Notify
  private readonly zones = new Map<string, Zone>()

  constructor(options: WatcherBreakerOptions, notify: Notify) {
    this.options = options
    this.notify = notify
  }

  /** The node heard an instance of the zone for the first time. */
  joined(zone: string): void {
    this.zone(zone).heard++
  }

  /** The node no longer watches an instance it once heard. */
  left(zone: string, watch: Watch): void {
    const state = this.zone(zone)
    state.heard--
    state.silent.delete(watch)
    if (state.heard > 0) return this.settle(state)
    this.doubt(state, undefined)
    this.zones.delete(zone)
  }

  /** The silence of an instance was noticed. */
  fellSilent(zone: string, watch: Watch, t: number, leaseMs: number): void {
    const state = this.zone(zone)
    if (state.silent.has(watch)) return
    state.silent.set(watch, t)
    if (state.doubtedAt !== undefined || !this.isMass(state, state.silent.size)) return
    let recent = 0
    for (const at of state.silent.values()) if (t - at <= leaseMs) recent++
    if (this.isMass(state, recent)) this.doubt(state, t)
  }

  /** It was heard again, or something better than silence is known about it. */
  spoke(zone: string, watch: Watch): void {
    const state = this.zone(zone)
    if (state.silent.delete(watch)) this.settle(state)
  }

  /** Since when the node doubts its own ears in a zone; undefined if it trusts them. */
  doubtedAt(zone: string): number | undefined {
    return this.zones.get(zone)?.doubtedAt
  }

  /** Whether silence means anything there: not while the node doubts its ears, unless that lasts and others are heard. */
  trustsSilence(zone: string, t: number, leaseMs: number): boolean {
    const state = this.zones.get(zone)
    if (state?.doubtedAt === undefined) return true
    return t - state.doubtedAt >= this.options.doubtLeases * leaseMs && state.silent.size < state.heard
  }

  /** Whether one more refusal is believed at once; if so it counts. */
  believesRefusal(zone: string, t: number, leaseMs: number): boolean {
    const state = this.zone(zone)
    state.refusedAt = state.refusedAt.filter((at) => t - at <= leaseMs)
    if (state.refusedAt.length >= Math.max(this.options.refusalsMin, this.options.refusalShare * state.heard))
      return false
    state.refusedAt.push(t)
    return true
  }

  private settle(state: Zone): void {
    if (!this.isMass(state, state.silent.size)) this.doubt(state, undefined)
  }

  private doubt(state: Zone, at: number | undefined): void {
    if (state.doubtedAt === at) return
    state.doubtedAt = at
    this.notify({ kind: 'watcher_doubt', zone: state.name, doubting: at !== undefined })
  }

  private isMass(state: Zone, silent: number): boolean {
    return silent >= this.options.instancesMin && silent > this.options.share * state.heard
  }

  private zone(name: string): Zone {
    let zone = this.zones.get(name)
    if (zone === undefined) {
      zone = { name, heard: 0, silent: new Map(), refusedAt: [], doubtedAt: undefined }
      this.zones.set(name, zone)
    }
    return zone
  }
}
