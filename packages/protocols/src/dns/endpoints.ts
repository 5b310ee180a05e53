/** The endpoints of services at hand: made from the registry when a sign is no longer the one they were made of. */
import type { Clock, Queries, ViewCapture } from '@rollcall/core'
import type { ViewName } from '@rollcall/wire'
import { type Endpoint, toEndpoint } from './mapping.js'
import { ServiceEndpoints } from './selection.js'
import { isStepOver, Shared, type Steps, type WorkTurns } from './steps.js'

interface Kept {
  readonly sign: string
  readonly madeAt: number
  readonly endpoints: ServiceEndpoints
}

/**
 * A service that changes all the time is read anew, and its records written, for a fifth of the time: some five microseconds
 * for each endpoint, so a long list may be this much behind for each of them.
 */
const BEHIND_MS_EACH = 0.025
const BEHIND_MS_MAX = 5_000
/** Up to this length a list is read at once, whenever it changes. */
const AT_ONCE_MAX = 1_000

/** What is kept of a service beside its endpoints, counted in endpoints. */
const SERVICE_COST = 8

/** Endpoints as they are known, and whether they are those of the present. */
interface FoundEndpoints {
  readonly endpoints: ServiceEndpoints
  readonly isCurrent: boolean
}

export class EndpointCache {
  private readonly clock: Pick<Clock, 'now'>
  private readonly turns: WorkTurns
  private readonly max: number
  /** The one that was asked for last is the last. */
  private readonly kept = new Map<string, Kept>()
  private held = 0
  /** Long lists that are being read. */
  private readonly making = new Map<string, Shared<ServiceEndpoints>>()

  /** `max`: endpoints that are kept, of all services together; what was asked for longest ago goes first. */
  constructor(clock: Pick<Clock, 'now'>, turns: WorkTurns, max: number) {
    this.clock = clock
    this.turns = turns
    this.max = max
  }

  /** The endpoints of a service. While a long list is read anew, those of before. */
  *of(read: Pick<Queries, 'sign' | 'capture'>, { namespace, service }: ViewName): Steps<FoundEndpoints> {
    const key = `${namespace}/${service}`
    const sign = read.sign({ namespace, service })
    const kept = this.kept.get(key)
    if (kept !== undefined) {
      this.kept.delete(key)
      this.kept.set(key, kept)
      const isCurrent = kept.sign === sign
      if (isCurrent || this.clock.now() - kept.madeAt < behindMs(kept.endpoints.size))
        return { endpoints: kept.endpoints, isCurrent }
    }
    const making = this.making.get(key) ?? this.begin(key, read.capture({ namespace, service }), kept)
    if (making instanceof ServiceEndpoints) return { endpoints: making, isCurrent: true }
    return kept === undefined
      ? { endpoints: yield* making.result(), isCurrent: false }
      : { endpoints: kept.endpoints, isCurrent: false }
  }

  /** Reads a short list, and begins with a long one. */
  private begin(
    key: string,
    view: ViewCapture,
    before: Kept | undefined,
  ): ServiceEndpoints | Shared<ServiceEndpoints> {
    if (view.size <= AT_ONCE_MAX) {
      const list = Array.from({ length: view.size }, (_, place) => toEndpoint(view.instance(place)))
      return this.keep(key, view.name.sign, new ServiceEndpoints(list, this.turns))
    }
    const making = new Shared(this.turns, this.make(key, view))
    this.making.set(key, making)
    if (before !== undefined) this.turns.begin(making)
    return making
  }

  private *make(key: string, view: ViewCapture): Steps<ServiceEndpoints> {
    try {
      const list: Endpoint[] = []
      for (let place = 0; place < view.size; place++) {
        list.push(toEndpoint(view.instance(place)))
        if (isStepOver(place)) yield
      }
      return this.keep(key, view.name.sign, new ServiceEndpoints(list, this.turns))
    } finally {
      this.making.delete(key)
    }
  }

  private keep(key: string, sign: string, endpoints: ServiceEndpoints): ServiceEndpoints {
    const before = this.kept.get(key)
    if (before !== undefined) {
      this.kept.delete(key)
      this.held -= costOf(before)
    }
    const made = { sign, madeAt: this.clock.now(), endpoints }
    this.kept.set(key, made)
    this.held += costOf(made)
    this.shrink()
    return endpoints
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
