/**
 * The second half of the breaker doubts the news: so much of one service cannot have died without a trace.
 * Silence may hold a share of a service `down`, never all of it; the others are kept, and the guard shows it.
 * Nothing refills by time: the count is that of the verdicts that stand. Nodes that judge instances of the same service
 * would each spend the share before they hear of each other: what each may take is settled by the doubts, which come first.
 */
import type { Guard } from '@rollcall/wire'
import type { ServiceNode } from '../directory/directory.js'
import { hash64 } from '../records/hash.js'
import type { Notify } from './notices.js'
import type { Standing } from './transitions.js'

export interface ServiceBreakerOptions {
  /** Off = silence may take every instance of every service that does not declare otherwise. */
  readonly enabled: boolean
  /** Share of a service's listed records that silence may hold `down`. */
  readonly share: number
}

export const SERVICE_BREAKER_DEFAULTS: ServiceBreakerOptions = { enabled: true, share: 0.3 }

/** How many of a service's `listed` records silence may hold down: some, but never all. */
export function silentDeathsMax(listed: number, share: number): number {
  return Math.max(0, Math.min(Math.max(1, Math.floor(share * listed)), listed - 1))
}

/** How long an order of the doubted stands: what is doubted later goes down later than that. */
const ORDER_MS = 500

/** What silence holds of one service. */
interface Losses {
  /** Keys of instances that silence holds `down`. */
  readonly deaths: Set<string>
  /** Keys of those that would be, were it not for the breaker. */
  readonly kept: Set<string>
  /** Those that are doubted, by their keys. */
  readonly doubted: Map<string, Doubted>
  /** Which of them may go down: those whose place is not behind this one. */
  order: { readonly at: number; readonly last: number }
  /** The breaker is tripped. To keep the only instance there is takes no breaker that trips. */
  tripped: boolean
}

/** One that silence may take next. */
interface Doubted {
  readonly judge: string
  /** Where it stands among them: a hash of its key, so that all nodes mean the same order. */
  readonly place: number
}

export class ServiceBreaker {
  private readonly options: ServiceBreakerOptions
  private readonly notify: Notify
  private readonly losses = new Map<ServiceNode, Losses>()

  constructor(options: ServiceBreakerOptions, notify: Notify) {
    this.options = options
    this.notify = notify
  }

  /** What holds for a service, by what it declared. */
  optionsOf(service: Pick<ServiceNode, 'settings'> | undefined): ServiceBreakerOptions {
    return { ...this.options, ...service?.settings?.breaker }
  }

  /** Whether silence may hold one more instance of the service down, at judged time `t`. If not, it is kept. */
  permitsDeath(service: ServiceNode, key: string, t: number): boolean {
    const { enabled, share } = this.optionsOf(service)
    if (!enabled) return true
    const losses = this.of(service)
    const { deaths, kept } = losses
    const room = silentDeathsMax(service.total, share) - deaths.size
    if (deaths.has(key) || (room > 0 && isFirst(losses, key, room, t))) return true
    kept.add(key)
    this.trip(service, losses, service.total > 1)
    return false
  }

  /** Notes where an instance stands and which node judges it, after any change of its record. */
  account(service: ServiceNode, key: string, standing: Standing, judge: string): void {
    const losses = standing === 'lost' || standing === 'suspect' ? this.of(service) : this.losses.get(service)
    if (losses === undefined) return
    if (standing === 'lost') losses.deaths.add(key)
    else losses.deaths.delete(key)
    if (standing !== 'suspect') losses.doubted.delete(key)
    else if (losses.doubted.get(key)?.judge !== judge) losses.doubted.set(key, { judge, place: placeOf(key) })
    this.settle(service, losses)
  }

  /** The instance is not (or no longer) kept in spite of its silence. */
  release(service: ServiceNode, key: string): void {
    const losses = this.losses.get(service)
    if (losses?.kept.delete(key) === true) this.settle(service, losses)
  }

  /** What the breaker does of a service at present. */
  guardOf(service: ServiceNode | undefined): Guard {
    const losses = service === undefined ? undefined : this.losses.get(service)
    return losses === undefined
      ? { tripped: false, kept: 0 }
      : { tripped: losses.tripped, kept: losses.kept.size }
  }

  /** Services whose breaker is tripped, and how many silent instances they keep together. */
  tripped(): { readonly services: number; readonly kept: number } {
    const tripped = [...this.losses.values()].filter((losses) => losses.tripped)
    return { services: tripped.length, kept: tripped.reduce((sum, { kept }) => sum + kept.size, 0) }
  }

  /** Ends what has ended. */
  private settle(service: ServiceNode, losses: Losses): void {
    const { deaths, kept, doubted, tripped } = losses
    this.trip(service, losses, tripped && kept.size > 0 && service.total > 1)
    if (deaths.size === 0 && kept.size === 0 && doubted.size === 0) this.losses.delete(service)
  }

  private trip(service: ServiceNode, losses: Losses, tripped: boolean): void {
    if (tripped === losses.tripped) return
    losses.tripped = tripped
    this.notify({ kind: 'service_guard', service, tripped })
  }

  private of(service: ServiceNode): Losses {
    let losses = this.losses.get(service)
    if (losses === undefined) {
      const order = { at: -Infinity, last: Infinity }
      losses = { deaths: new Set(), kept: new Set(), doubted: new Map(), order, tripped: false }
      this.losses.set(service, losses)
    }
    return losses
  }
}

/** Whether an instance is among those of the doubted that there is room for. Where one node judges them all, each is. */
function isFirst(losses: Losses, key: string, room: number, t: number): boolean {
  const { doubted } = losses
  if (t >= losses.order.at + ORDER_MS) losses.order = { at: t, last: lastOf(doubted, room) }
  const { last } = losses.order
  return last === Infinity || (doubted.get(key)?.place ?? Infinity) <= last
}

function lastOf(doubted: ReadonlyMap<string, Doubted>, room: number): number {
  if (doubted.size <= room || isOfOneJudge(doubted)) return Infinity
  const places = Float64Array.from(doubted.values(), ({ place }) => place).sort()
  return places[room - 1] ?? -Infinity
}

function isOfOneJudge(doubted: ReadonlyMap<string, Doubted>): boolean {
  let first: string | undefined
  for (const { judge } of doubted.values()) if ((first ??= judge) !== judge) return false
  return true
}

function placeOf(key: string): number {
  const { hi, lo } = hash64(key)
  return (hi >>> 0) * 2 ** 21 + (lo >>> 11)
}
