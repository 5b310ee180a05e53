/** What a Consul client registers: a service and its checks, as the registry keeps them. Pure. */

export const STATUSES = ['passing', 'warning', 'critical'] as const
export type CheckStatus = (typeof STATUSES)[number]

export type CheckType = 'ttl' | 'http' | 'tcp' | 'grpc'

/** A check as it was defined, and the last word that was written of it. */
export interface CheckDefinition {
  readonly id: string
  readonly name: string
  readonly notes?: string
  readonly type: CheckType
  /** The word of its client, or what our first success made of it. */
  readonly status: CheckStatus
  /** Nothing was said of it yet, beside how it begins. */
  readonly fresh?: true
  readonly output?: string
  /**
   * What silence or failures make of it at present, by the node that judges the instance. Its clients see it; natively silence
   * and failures are judged by the core.
   */
  readonly found?: Finding & {
    /** An endpoint did not answer at all; a TTL that ran out is always silence. */
    readonly silent?: true
  }
  readonly ttlMs?: number
  readonly intervalMs?: number
  readonly timeoutMs?: number
  /** URL, `host:port`, or `host:port/service`. */
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Of gRPC; of HTTP the URL says it. */
  readonly tls?: true
  readonly insecure?: true
  readonly serverName?: string
  readonly deregisterAfterMs?: number
  readonly successBeforePassing?: number
  readonly failuresBeforeCritical?: number
}

/** How a check stands, and why. */
export interface Finding {
  readonly status: CheckStatus
  readonly output: string
}

export interface Weights {
  readonly Passing: number
  readonly Warning: number
}

export interface TaggedAddress {
  readonly Address: string
  readonly Port: number
}

/** A service instance as it was registered. */
export interface ServiceDefinition {
  readonly id: string
  readonly name: string
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  readonly address: string
  readonly port: number
  readonly taggedAddresses?: Readonly<Record<string, TaggedAddress>>
  readonly enableTagOverride?: true
  /** Absent where the client gave none. */
  readonly weights?: Weights
  readonly checks: readonly CheckDefinition[]
}

const RANK: Readonly<Record<CheckStatus, number>> = { passing: 0, warning: 1, critical: 2 }

/** The worst of them; passing where there is none. */
export function worstOf(statuses: Iterable<CheckStatus>): CheckStatus {
  let worst: CheckStatus = 'passing'
  for (const status of statuses) if (RANK[status] > RANK[worst]) worst = status
  return worst
}

export function isStatus(value: unknown): value is CheckStatus {
  return STATUSES.some((each) => each === value)
}

/** The check id that a service without a say gets: clients build it themselves. */
export function checkIdOf(serviceId: string, place: number, count: number): string {
  return count === 1 ? `service:${serviceId}` : `service:${serviceId}:${place + 1}`
}

/** A check without what was said of it, or found. */
export function withoutSay(check: CheckDefinition): Omit<CheckDefinition, 'fresh' | 'output' | 'found'> {
  const copy: { -readonly [K in keyof CheckDefinition]: CheckDefinition[K] } = { ...check }
  delete copy.fresh
  delete copy.output
  delete copy.found
  return copy
}

/** How a check stands for those who look. */
export function standingOf({ status, output = '', found }: CheckDefinition): Finding {
  return found ?? { status, output }
}

/** A definition with one check changed, or the same where it has none of that id. */
export function withCheck(
  service: ServiceDefinition,
  id: string,
  change: (check: CheckDefinition) => CheckDefinition,
): ServiceDefinition {
  return { ...service, checks: service.checks.map((check) => (check.id === id ? change(check) : check)) }
}
