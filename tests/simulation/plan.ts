/** Scenarios of cases, from a few words and defaults. */
import type { Fault } from './faults/fault.js'
import type { EndpointPlan, ProgramPlan, Scenario, Speech } from './scenario.js'

/** A program as a case describes it; the rest has defaults. */
export type ProgramSketch = Partial<Omit<ProgramPlan, 'endpoints' | 'watches'>> & {
  /** Services it offers, one instance of each; `id` is the same for all. */
  readonly offers?: readonly string[]
  readonly id?: string
  readonly watches?: readonly string[]
}

/** A world as a case describes it. */
export interface ScenarioSketch {
  /** Names the streams of chance. */
  readonly seed: string
  /** Programs by name. What does not say how it speaks is a consumer of `orders`. */
  readonly programs: Readonly<Record<string, ProgramSketch>>
  readonly faults: readonly Fault[]
  /** Default 1. */
  readonly clusters?: number
  /** Nodes of each cluster. Default 1. */
  readonly nodes?: number
  /** Default `union`. */
  readonly merge?: Scenario['merge']
  readonly liveness?: Scenario['liveness']
  /** Default: 20 s after the last fault. */
  readonly healAt?: number
  /** Default 100 s: longer than anything is excused for. */
  readonly quietMs?: number
}

/** The whole scenario of a sketch: each program on a host of its own unless it says otherwise. */
export function sketched(sketch: ScenarioSketch): Scenario {
  const { seed, programs, clusters, nodes, merge, faults, liveness, healAt, quietMs } = sketch
  const last = Math.max(0, ...faults.map(({ at }) => at))
  const end = healAt ?? last + 20_000
  return {
    seed,
    programs: Object.entries(programs).map(([name, program], index) => planOf(name, program, index)),
    clusters: clusters ?? 1,
    nodes: nodes ?? 1,
    merge: merge ?? 'union',
    liveness: liveness ?? {},
    commitMs: 1,
    faults: [...faults].sort((a, b) => a.at - b.at),
    healAt: end,
    endAt: end + (quietMs ?? 100_000),
  }
}

function planOf(name: string, sketch: ProgramSketch, index: number): ProgramPlan {
  const { offers, id, watches, ...given } = sketch
  const speech: Speech = given.speech ?? 'sdk'
  const host = given.host ?? `10.1.0.${index + 1}`
  const services = offers ?? (given.speech === undefined ? [] : ['orders'])
  const endpoints: EndpointPlan[] = services.map((service, at) => {
    const port = 3_000 + index * 10 + at
    return { service, group: 'default', id: id ?? `${host}:${port}`, port }
  })
  const watched = watches ?? (given.speech === undefined ? ['orders'] : [])
  return {
    name,
    startAt: 0,
    leaseMs: 15_000,
    probed: true,
    moves: false,
    renews: false,
    contested: false,
    ...given,
    host,
    speech,
    endpoints,
    watches: watched.map((service) => ({ namespace: 'default', service })),
  }
}
