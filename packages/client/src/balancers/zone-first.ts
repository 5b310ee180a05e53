/** The own zone first, as far as it has the capacity. */
import type { Instance } from '@rollcall/wire'
import type { AttemptReport, Balancer, BalancerFactory, BalancerTools } from './balancer.js'
import { hashText } from './hash.js'
import { ZoneHealth } from './zone-health.js'

/** Shares are found anew at most this often while calls end. */
const REVIEW_MS = 100

interface Zone {
  readonly name: string
  readonly balancer: Balancer
  readonly health: ZoneHealth
  capacity: number
  /** Upper end of its part of [0, 1). */
  upTo: number
}

/**
 * The own zone first, as far as it carries its callers. Callers are taken to be spread evenly over the zones: with
 * three zones each may hold a third of the capacity for its own callers. A zone with less keeps the part that it can
 * carry; the rest goes to the zones that have more than they need, in proportion to what they have left. So each
 * instance gets the same, and no zone is overloaded, when all callers do the same.
 *
 * Capacity is the sum of weights of those who can be called, times what was seen of the zone: the share of calls
 * that did not fail, and for the own zone its latency when that is more than twice the usual (`ZoneHealth`). A key
 * stays with its zone while the shares stay. Within a zone the inner balancer chooses.
 */
export function createZoneFirst(inner: BalancerFactory, tools: BalancerTools, own: string): Balancer {
  return new ZoneFirst(inner, tools, own)
}

class ZoneFirst implements Balancer {
  private readonly inner: BalancerFactory
  private readonly tools: BalancerTools
  private readonly zones = new Map<string, Zone>()
  private readonly own: Zone
  /** The own zone and all that can be called. */
  private order: readonly Zone[] = []
  private reviewAt = -Infinity

  constructor(inner: BalancerFactory, tools: BalancerTools, own: string) {
    this.inner = inner
    this.tools = tools
    this.own = this.zone(own)
  }

  update(candidates: readonly Instance[]): void {
    const byZone = zonesOf(candidates)
    for (const name of byZone.keys()) this.zone(name)
    for (const zone of this.zones.values()) {
      const members = byZone.get(zone.name) ?? []
      if (members.length === 0 && zone !== this.own) this.zones.delete(zone.name)
      zone.capacity = members.reduce((sum, { weight }) => sum + weight, 0)
      zone.balancer.update(members)
    }
    // Where none has a weight all are alike, as for the other balancers.
    if (candidates.every(({ weight }) => weight === 0))
      for (const zone of this.zones.values()) zone.capacity = byZone.get(zone.name)?.length ?? 0
    this.share()
  }

  pick(key?: string): Instance | undefined {
    const { order } = this
    const at = key === undefined ? this.tools.random() : hashText(key) / 2 ** 32
    for (let index = 0; index < order.length; index += 1) {
      const zone = order[index]!
      if (at < zone.upTo) return zone.balancer.pick(key)
    }
    return undefined
  }

  began(instance: Instance): void {
    this.zones.get(zoneOf(instance))?.balancer.began?.(instance)
  }

  ended(instance: Instance, report: AttemptReport): void {
    const zone = this.zones.get(zoneOf(instance))
    if (zone === undefined) return
    const now = this.tools.now()
    zone.balancer.ended?.(instance, report)
    zone.health.ended(now, report)
    if (now >= this.reviewAt) this.share()
  }

  private share(): void {
    const now = this.tools.now()
    this.reviewAt = now + REVIEW_MS
    const others = [...this.zones.values()].filter((zone) => zone !== this.own)
    const latencies = others.flatMap(({ health }) => health.latencyMs(now) ?? [])
    const elsewhereMs = latencies.length === 0 ? undefined : Math.min(...latencies)
    const all = [this.own, ...others].map((zone) => ({
      zone,
      capacity:
        zone.capacity *
        (zone === this.own ? zone.health.fitness(now, elsewhereMs) : zone.health.successShare(now)),
    }))
    let upTo = 0
    for (const [index, share] of sharesOf(all.map(({ capacity }) => capacity)).entries()) {
      upTo += share
      all[index]!.zone.upTo = upTo
    }
    this.order = all.map(({ zone }) => zone).filter(({ capacity }) => capacity > 0)
    // Sums of shares may stay a hair below 1.
    const last = this.order.at(-1)
    if (last !== undefined) last.upTo = Infinity
  }

  private zone(name: string): Zone {
    const known = this.zones.get(name)
    if (known !== undefined) return known
    const zone = { name, balancer: this.inner(this.tools), health: new ZoneHealth(), capacity: 0, upTo: 0 }
    this.zones.set(name, zone)
    return zone
  }
}

function zonesOf(candidates: readonly Instance[]): Map<string, Instance[]> {
  const byZone = new Map<string, Instance[]>()
  for (const instance of candidates) {
    const members = byZone.get(zoneOf(instance))
    if (members === undefined) byZone.set(zoneOf(instance), [instance])
    else members.push(instance)
  }
  return byZone
}

function zoneOf(instance: Instance): string {
  return instance.zone ?? ''
}

/**
 * Which share of the calls of one zone's callers goes to each zone; the first is their own. A zone with capacity
 * share c and demand share d = 1 / zones keeps min(1, c / d) of its calls; what does not fit is divided by the
 * zones' surplus c - d.
 */
export function sharesOf(capacities: readonly number[]): number[] {
  const total = capacities.reduce((sum, capacity) => sum + capacity, 0)
  if (total === 0) return capacities.map(() => 1 / capacities.length)
  const demand = 1 / capacities.length
  const [own = 0] = capacities
  const kept = Math.min(1, own / total / demand)
  const surplus = capacities.map((capacity, index) =>
    index === 0 ? 0 : Math.max(0, capacity / total - demand),
  )
  const spare = surplus.reduce((sum, part) => sum + part, 0)
  return surplus.map((part, index) => (index === 0 ? kept : spare === 0 ? 0 : ((1 - kept) * part) / spare))
}
