/**
 * The second half of the breaker doubts the news: so much of one service cannot have died without a trace.
 * Silence may hold a share of a service `down`, never all of it; the others are kept, and the guard shows it.
 * Nothing refills by time: the count is that of the verdicts that stand.
 */
import type { Guard } from '@rollcall/wire'
import type { ServiceNode } from '../directory/directory.js'
import type { Notify } from './notices.js'

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

/** What silence holds of one service. */
interface Losses {
  /** Keys of instances that silence holds `down`. */
  readonly deaths: Set<string>
  /** Keys of those that would be, were it not for the breaker. */
  readonly kept: Set<string>
  /** The breaker is tripped. To keep the only instance there is takes no breaker that trips. */
  tripped: boolean
}

export class ServiceBreaker {
  private readonly options: ServiceBreakerOptions
  private readonly notify: Notify
  private readonly losses = new Map<ServiceNode, Losses>()

  constructor(options: ServiceBreakerOptions, notify: Notify) {
    this.options = options
    this.notify = notify
  }

  /** Whether silence may hold one more instance of the service down. If not, it is kept. */
  permitsDeath(service: ServiceNode, key: string): boolean {
    const enabled = service.settings?.breaker?.enabled ?? this.options.enabled
    const share = service.settings?.breaker?.share ?? this.options.share
    if (!enabled) return true
    const losses = this.of(service)
    const { deaths, kept } = losses
    if (deaths.has(key) || deaths.size < silentDeathsMax(service.total, share)) return true
    kept.add(key)
    this.trip(service, losses, service.total > 1)
    return false
  }

  /** Notes whether silence holds an instance down, after any change of its record. */
  account(service: ServiceNode, key: string, silentDeath: boolean): void {
    if (silentDeath) this.of(service).deaths.add(key)
    const losses = this.losses.get(service)
    if (losses === undefined) return
    if (!silentDeath) losses.deaths.delete(key)
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
    const { deaths, kept, tripped } = losses
    this.trip(service, losses, tripped && kept.size > 0 && service.total > 1)
    if (deaths.size === 0 && kept.size === 0) this.losses.delete(service)
  }

  private trip(service: ServiceNode, losses: Losses, tripped: boolean): void {
    if (tripped === losses.tripped) return
    losses.tripped = tripped
    this.notify({ kind: 'service_guard', service, tripped })
  }

  private of(service: ServiceNode): Losses {
    let losses = this.losses.get(service)
    if (losses === undefined) {
      losses = { deaths: new Set(), kept: new Set(), tripped: false }
      this.losses.set(service, losses)
    }
    return losses
  }
}
