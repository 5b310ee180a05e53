/**
 * The first half of the breaker doubts the watcher: when much of what a node hears in a zone falls silent at
 * once, it is more likely deaf than they are dead. Refusals are facts and pass, but a firewall that refuses
 * everything at once must insist for one lease.
 */
import type { Notify } from './notices.js'
import type { Evidence } from './evidence.js'

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

/** Silent instances, each with the end of the lease within which its silence is news. */
type Silent = Map<Evidence, number>

/** One mass silence that the node does not believe (yet). */
interface Doubt {
  readonly since: number
  /** Who fell silent with it, or within a lease after. */
  readonly silent: Silent
}

/**
 * What a node hears in one zone. An instance that was heard and is silent is in exactly one of `news`, a doubt and `known`,
 * so memory is bounded by what the node observes.
 */
interface Zone {
  readonly name: string
  /** Instances this node heard and still observes. */
  heard: number
  /** Silent ones that no doubt covers. Those whose lease is over leave it when there may be a mass. */
  readonly news: Silent
  /** Those that were believed: refused, silent in spite of a doubt's time, or silent for longer than a lease. */
  readonly known: Set<Evidence>
  /** Oldest first. Few: each takes its share of what is heard. */
  doubts: Doubt[]
  /** Moments of refusals that were believed, oldest first. */
  refusedAt: number[]
  /** The last of them. A refusal is an answer: a node that gets one is not deaf. */
  answeredAt: number
}

/**
 * A doubt is about one mass silence and ends with it: when its instances were heard, or when it has lasted and they
 * are believed. What falls silent later is news again, and may be a doubt of its own with its own time.
 */
export class WatcherBreaker {
  private readonly options: WatcherBreakerOptions
  private readonly notify: Notify
  private readonly zones = new Map<string, Zone>()

  constructor(options: WatcherBreakerOptions, notify: Notify) {
    this.options = options
    this.notify = notify
  }

  /** Zones in which the node doubts its ears. */
  get doubted(): number {
    return [...this.zones.values()].filter(({ doubts }) => doubts.length > 0).length
  }

  /** The node heard an instance of the zone for the first time. */
  joined(zone: string): void {
    this.zone(zone).heard++
  }

  /** The node no longer observes an instance that it once heard. */
  left(zone: string, evidence: Evidence): void {
    const state = this.zone(zone)
    state.heard--
    this.drop(state, evidence)
    if (state.heard > 0) return
    this.zones.delete(zone)
    this.keep(state, [])
  }

  /** The silence of an instance was noticed. */
  fellSilent(zone: string, evidence: Evidence, t: number, leaseMs: number): void {
    const state = this.zone(zone)
    const until = t + leaseMs
    const last = state.doubts.at(-1)
    if (last !== undefined && t - last.since <= leaseMs) {
      last.silent.set(evidence, until)
      return
    }
    state.news.set(evidence, until)
    if (!this.isMass(state, state.news.size)) return
    for (const [each, end] of state.news) if (end < t) this.believe(state, state.news, each)
    if (!this.isMass(state, state.news.size)) return
    const silent = new Map(state.news)
    state.news.clear()
    this.keep(state, [...state.doubts, { since: t, silent }])
  }

  /** It was heard again. */
  spoke(zone: string, evidence: Evidence): void {
    this.drop(this.zone(zone), evidence)
  }

  /** Something better than its silence is known about it: nothing more is expected of it until it is heard again. */
  settled(zone: string, evidence: Evidence): void {
    const state = this.zone(zone)
    this.drop(state, evidence)
    state.known.add(evidence)
  }

  /** Since when the node doubts its own ears about an instance, or else in its zone; undefined if it trusts them. */
  doubtedAt(zone: string, evidence: Evidence): number | undefined {
    const state = this.zones.get(zone)
    return state === undefined ? undefined : doubtAbout(state, evidence)?.since
  }

  /**
   * Whether the silence of an instance means anything: not while the node doubts its ears, unless that lasts and
   * others are heard. An instance that is believed then is no longer part of the doubt, nor are the rest once they are too few.
   */
  trustsSilence(zone: string, evidence: Evidence, t: number, leaseMs: number): boolean {
    const state = this.zones.get(zone)
    const doubt = state === undefined ? undefined : doubtAbout(state, evidence)
    if (state === undefined || doubt === undefined) return true
    if (t - doubt.since < this.options.doubtLeases * leaseMs || !hearsOthers(state, doubt)) return false
    this.believe(state, doubt.silent, evidence)
    if (this.isMass(state, doubt.silent.size)) return true
    for (const rest of doubt.silent.keys()) this.believe(state, doubt.silent, rest)
    this.keep(
      state,
      state.doubts.filter((each) => each !== doubt),
    )
    return true
  }

  /** Whether one more refusal is believed at once; if so it counts. */
  believesRefusal(zone: string, t: number, leaseMs: number): boolean {
    const state = this.zone(zone)
    state.refusedAt = state.refusedAt.filter((at) => t - at <= leaseMs)
    const heard = state.heard - state.known.size + state.refusedAt.length
    if (state.refusedAt.length >= Math.max(this.options.refusalsMin, this.options.refusalShare * heard))
      return false
    state.refusedAt.push(t)
    state.answeredAt = t
    return true
  }

  /** Its silence is no news any more. */
  private believe(state: Zone, silent: Silent, evidence: Evidence): void {
    if (silent.delete(evidence)) state.known.add(evidence)
  }

  /** It is not silent, or not there. */
  private drop(state: Zone, evidence: Evidence): void {
    state.known.delete(evidence)
    state.news.delete(evidence)
    for (const { silent } of state.doubts) if (silent.delete(evidence)) return this.settle(state)
  }

  /** Ends the doubts that too few are still silent of; these few are as any other news. */
  private settle(state: Zone): void {
    const standing = state.doubts.filter(({ silent }) => this.isMass(state, silent.size))
    if (standing.length === state.doubts.length) return
    for (const doubt of state.doubts) {
      if (standing.includes(doubt)) continue
      for (const [evidence, until] of doubt.silent) state.news.set(evidence, until)
    }
    this.keep(state, standing)
  }

  private keep(state: Zone, doubts: Doubt[]): void {
    const before = state.doubts.length > 0
    state.doubts = doubts
    const doubting = doubts.length > 0
    if (doubting !== before) this.notify({ kind: 'watcher_doubt', zone: state.name, doubting })
  }

  private isMass(state: Zone, silent: number): boolean {
    const heard = state.heard - state.known.size
    return silent >= this.options.instancesMin && silent > this.options.share * heard
  }

  private zone(name: string): Zone {
    let zone = this.zones.get(name)
    if (zone === undefined) {
      zone = {
        name,
        heard: 0,
        news: new Map(),
        known: new Set(),
        doubts: [],
        refusedAt: [],
        answeredAt: -Infinity,
      }
      this.zones.set(name, zone)
    }
    return zone
  }
}

/**
 * The doubt that covers the instance, or else the newest in its zone: while it lasts no instance is believed silent there,
 * but those that were before.
 */
function doubtAbout({ doubts, known }: Zone, evidence: Evidence): Doubt | undefined {
  if (known.has(evidence)) return undefined
  return doubts.find(({ silent }) => silent.has(evidence)) ?? doubts.at(-1)
}

/** Whether anything else was heard in the zone since the doubt began. */
function hearsOthers({ heard, news, known, doubts, answeredAt }: Zone, { since }: Doubt): boolean {
  const silent = doubts.reduce((sum, doubt) => sum + doubt.silent.size, news.size + known.size)
  return silent < heard || answeredAt >= since
}
