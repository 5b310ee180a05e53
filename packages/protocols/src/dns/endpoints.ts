/** The endpoints of services at hand: made from the registry when a sign is no longer the one they were made of. */
import type { Clock, Queries } from '@rollcall/core'
import type { ViewName } from '@rollcall/wire'
import { type Endpoint, toEndpoint } from './mapping.js'
import { ServiceEndpoints } from './selection.js'

interface Kept {
  readonly sign: string
  readonly madeAt: number
  readonly endpoints: ServiceEndpoints
}

/**
 * A service that changes all the time is read anew for at most a tenth of the time: it takes two microseconds for each
 * endpoint, so a long list may be this much behind for each of them, and never more than the half second below.
 */
const BEHIND_MS_EACH = 0.025
const BEHIND_MS_MAX = 500
/** Up to this length a list is read at once, whenever it changes. */
const AT_ONCE_MAX = 1_000

/** What is kept of a service beside its endpoints, counted in endpoints. */
const SERVICE_COST = 8

export class EndpointCache {
  private readonly clock: Pick<Clock, 'now'>
  private readonly max: number
  /** The one that was asked for last is the last. */
  private readonly kept = new Map<string, Kept>()
  private held = 0

  /** `max`: endpoints that are kept, of all services together; what was asked for longest ago goes first. */
  constructor(clock: Pick<Clock, 'now'>, max: number) {
    this.clock = clock
    this.max = max
  }

  /** The endpoints of a service. */
  of(read: Pick<Queries, 'sign' | 'capture'>, { namespace, service }: ViewName): ServiceEndpoints {
    const key = `${namespace}/${service}`
    const sign = read.sign({ namespace, service })
    const now = this.clock.now()
    const kept = this.kept.get(key)
    if (kept !== undefined) {
      this.kept.delete(key)
      if (kept.sign === sign || now - kept.madeAt < behindMs(kept.endpoints.size)) {
        this.kept.set(key, kept)
        return kept.endpoints
      }
      this.held -= costOf(kept)
    }
    const made = { sign, madeAt: now, endpoints: readEndpoints(read, { namespace, service }) }
    this.kept.set(key, made)
    this.held += costOf(made)
    this.shrink()
    return made.endpoints
  }

  private shrink(): void {
    for (const [key, kept] of this.kept) {
      if (this.held <= this.max || this.kept.size === 1) return
      this.kept.delete(key)
      this.held -= costOf(kept)
    }
  }
}

function behindMs(size: number): number {
  return size <= AT_ONCE_MAX ? 0 : Math.min(BEHIND_MS_MAX, size * BEHIND_MS_EACH)
}

function costOf({ endpoints }: Kept): number {
  return endpoints.size + SERVICE_COST
}

function readEndpoints(read: Pick<Queries, 'capture'>, name: ViewName): ServiceEndpoints {
  const view = read.capture(name)
  const endpoints: Endpoint[] = []
  for (let place = 0; place < view.size; place++) endpoints.push(toEndpoint(view.instance(place)))
  return new ServiceEndpoints(endpoints)
}
