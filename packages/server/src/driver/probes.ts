/** The probes that steps of the rules ask for, and those that adapters do: made by one prober. */
import type { Clock, ProbeOutcome, ProbeRequest } from '@rollcall/core'

/** Where probes are made; the callback is called exactly once, possibly at once. */
export interface ProbePort {
  probe(request: ProbeRequest, callback: (outcome: ProbeOutcome, cause?: string) => void): void
  /** Whether a probe of an address could be made at all. Without it, any. */
  permits?(host: string, peer: string | undefined): boolean
}

export interface ProbesDeps {
  readonly prober: ProbePort
  readonly clock: Pick<Clock, 'now'>
  /** The answer to a probe of the rules. */
  probed(request: ProbeRequest, outcome: ProbeOutcome): void
}

export class Probes {
  private readonly deps: ProbesDeps
  private requests: ProbeRequest[] = []
  private making = false

  constructor(deps: ProbesDeps) {
    this.deps = deps
  }

  /** Whether some of the rules wait to be made. */
  get pending(): boolean {
    return this.requests.length > 0
  }

  /** The rules ask for one, which is made after their step. */
  add(request: ProbeRequest): void {
    this.requests.push(request)
  }

  /** Makes what was asked for. An answer that comes at once may lead to more: they are made in the same loop. */
  make(): void {
    if (this.making || this.requests.length === 0) return
    const { deps } = this
    this.making = true
    while (this.requests.length > 0) {
      const { requests } = this
      this.requests = []
      for (const request of requests) deps.prober.probe(request, (outcome) => deps.probed(request, outcome))
    }
    this.making = false
  }

  /** Makes one for an adapter; `agoMs` = how long before the answer it was asked for. */
  ask(request: ProbeRequest, answered: (outcome: ProbeOutcome, agoMs: number, cause?: string) => void): void {
    const { prober, clock } = this.deps
    const askedAt = clock.now()
    prober.probe(request, (outcome, cause) => answered(outcome, clock.now() - askedAt, cause))
  }
}
