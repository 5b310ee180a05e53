/** Scenarios: the world, its programs and its faults, drawn from a seed. */
import type { LivenessOptions } from '@rollcall/core'
import type { MergeMode } from '#client/internal'
import type { ViewName } from '@rollcall/wire'
import { besideNodes, clusterFaults, NODES } from './cluster-stories.js'
import type { Fault } from './faults/fault.js'
import { Chance } from './world/random.js'
import { operatorsOf } from './operators.js'
import { STORIES } from './stories.js'

/** One endpoint of a program. */
export interface EndpointPlan {
  readonly service: string
  readonly group: string
  readonly id: string
  readonly port: number
}

/**
 * How a program speaks to the registry. `sdk`: a session; `beats`: HTTP with incarnations; `curl`: HTTP without;
 * `probed`, `static`: it does not, another process registered it.
 */
export type Speech = 'sdk' | 'beats' | 'curl' | 'probed' | 'static'

export interface ProgramPlan {
  readonly name: string
  readonly host: string
  readonly speech: Speech
  readonly endpoints: readonly EndpointPlan[]
  readonly watches: readonly ViewName[]
  readonly startAt: number
  readonly leaseMs: number
  /** Probes are made. */
  readonly probed: boolean
  /** Ports change with every start. */
  readonly moves: boolean
  /** Registers again and again instead of beating (`curl` only). */
  readonly renews: boolean
  /** Another program claims the same id: nothing is owed to either. */
  readonly contested: boolean
}

/** Everything a run depends on. */
export interface Scenario {
  /** Names the streams of chance, and with them everything that is not written down here. */
  readonly seed: string
  readonly programs: readonly ProgramPlan[]
  /** SDK programs use all of them, others the first. */
  readonly clusters: number
  /** Nodes of each cluster; an engine joins several. */
  readonly nodes: number
  /** How consumers merge what several clusters say. */
  readonly merge: MergeMode
  readonly liveness: Partial<LivenessOptions>
  /** Mean time of a commit. */
  readonly commitMs: number
  readonly faults: readonly Fault[]
  /** When everything that goes wrong ends. */
  readonly healAt: number
  readonly endAt: number
}

/** Time in which the world comes up undisturbed. */
export const CALM_MS = 12_000

/** Quiet at the end: longer than anything is excused for. */
export const QUIET_MS = 100_000

const SERVICES = ['orders', 'users', 'search', 'billing'] as const
const GROUPS = ['default', 'default', 'default', 'core'] as const

/** Of so many seeds one has two clusters. */
const TWO_CLUSTERS_EVERY = 30

/** Of so many seeds one has a cluster of several nodes. */
const SEVERAL_NODES_EVERY = 3
const SEVERAL_NODES_AT = 2

/** Of so many seeds one has operators that write: which ones, leaves those alone that found something before. */
const OPERATORS_EVERY = 6
const OPERATORS_AT = 4

/** What a seed has by itself, unless it is to be another. */
export interface Shape {
  readonly clusters?: number | undefined
  readonly nodes?: number | undefined
}

/** The scenario of a seed. */
export function scenarioOf(seed: number | string, shape: Shape = {}): Scenario {
  const isOne = (shape.nodes ?? 1) > 1 || Number(seed) % TWO_CLUSTERS_EVERY !== 0
  const clusters = shape.clusters ?? (isOne ? 1 : 2)
  const several = clusters === 1 && Number(seed) % SEVERAL_NODES_EVERY === SEVERAL_NODES_AT
  const nodes = shape.nodes ?? (several ? NODES : 1)
  const chance = new Chance(`seed ${seed}`)
  const services = SERVICES.slice(0, chance.whole(1, SERVICES.length))
  const offering = providers(chance.fork('providers'), services)
  const programs = [
    ...(nodes > 1 ? besideNodes(chance.fork('machines'), offering) : offering),
    ...consumers(chance.fork('consumers'), services),
  ]
  const healAt = CALM_MS + chance.between(45_000, 110_000)
  const faults: Fault[] = []
  const count = chance.whole(2, 7)
  if (nodes > 1)
    faults.push(
      ...clusterFaults({ chance: chance.fork('several'), programs, from: CALM_MS, to: healAt }, count),
    )
  for (let index = 0; index < count && nodes === 1; index++) {
    const own = chance.fork(`story ${index}`)
    const story = own.pick(STORIES)
    const from = own.between(CALM_MS, healAt - 5_000)
    faults.push(...story({ chance: own, programs, from, to: healAt }))
  }
  // What is registered in two clusters is not an operator's alone: these worlds have one.
  if (clusters === 1 && nodes === 1 && Number(seed) % OPERATORS_EVERY === OPERATORS_AT)
    faults.push(...operatorsOf({ chance: chance.fork('operators'), programs, from: CALM_MS, to: healAt }))
  faults.sort((a, b) => a.at - b.at)
  const spread = chance.fork('clusters')
  return {
    seed: String(seed),
    programs,
    clusters,
    nodes,
    merge: spread.pick(['union', 'union', 'preferred']),
    liveness: {
      ...(chance.happens(0.5) ? { removalMs: chance.whole(10_000, 30_000) } : {}),
      ...(chance.happens(0.3) ? { retentionMs: 60_000 } : {}),
    },
    commitMs: chance.pick([0.5, 2, 8]),
    faults: faults
      .filter(({ at }) => at < healAt)
      .map((fault) => (clusters > 1 && spread.happens(0.5) ? { ...fault, cluster: 1 } : fault)),
    healAt,
    endAt: healAt + QUIET_MS,
  }
}

function providers(chance: Chance, services: readonly string[]): ProgramPlan[] {
  const count = chance.whole(4, 12)
  const plans: ProgramPlan[] = []
  for (let index = 0; index < count; index++) {
    const own = chance.fork(index)
    // Some share a host.
    const host = `10.1.0.${own.happens(0.25) && index > 0 ? index : index + 1}`
    const speech = own.pick([
      'sdk',
      'sdk',
      'sdk',
      'sdk',
      'beats',
      'beats',
      'curl',
      'probed',
      'static',
    ] as const)
    const offered = own.some(services, speech === 'sdk' || speech === 'beats' ? own.whole(1, 2) : 1)
    const base = 3_000 + index * 10
    const endpoints = offered.map((service, at) => ({
      service,
      group: own.pick(GROUPS),
      id: own.happens(0.5) ? `${host}:${base + at}` : `${service}-${index}`,
      port: base + at,
    }))
    plans.push({
      name: `${speech}-${index}`,
      host,
      speech,
      endpoints,
      watches: speech === 'sdk' && own.happens(0.3) ? [viewOf(own, services)] : [],
      startAt: own.happens(0.8) ? own.between(0, 2_000) : own.between(0, 60_000),
      leaseMs: own.pick(speech === 'sdk' ? [15_000, 15_000, 6_000] : [15_000, 15_000, 20_000, 30_000]),
      probed: own.happens(0.85),
      moves: own.happens(0.3),
      renews: speech === 'curl' && own.happens(0.4),
      contested: false,
    })
  }
  return chance.happens(0.15) ? withTwin(chance, plans) : plans
}

/** One more program that claims the id of another. */
function withTwin(chance: Chance, plans: readonly ProgramPlan[]): ProgramPlan[] {
  const named = plans.filter(({ speech }) => speech === 'sdk' || speech === 'beats')
  if (named.length === 0) return [...plans]
  const victim = chance.pick(named)
  const endpoints = victim.endpoints.map((endpoint) => ({ ...endpoint, id: `${endpoint.service}-twin` }))
  const late = chance.between(5_000, 40_000)
  const victimIsLate = chance.happens(0.5)
  const twin: ProgramPlan = {
    ...victim,
    speech: chance.pick([victim.speech, 'curl']),
    name: `${victim.name}-twin`,
    host: '10.1.1.1',
    endpoints,
    startAt: victimIsLate ? 0 : late,
    contested: true,
  }
  const startAt = victimIsLate ? late : victim.startAt
  const claimed = { ...victim, endpoints, startAt, contested: true }
  return [...plans.map((plan) => (plan === victim ? claimed : plan)), twin]
}

function consumers(chance: Chance, services: readonly string[]): ProgramPlan[] {
  return Array.from({ length: chance.whole(2, 4) }, (_, index) => {
    const own = chance.fork(index)
    const watches = own.some(services, own.whole(1, services.length)).map((service) => viewOf(own, [service]))
    return {
      name: `consumer-${index}`,
      host: `10.2.0.${index + 1}`,
      speech: 'sdk' as const,
      endpoints: [],
      watches,
      startAt: own.happens(0.8) ? own.between(0, 3_000) : own.between(0, 60_000),
      leaseMs: 15_000,
      probed: true,
      moves: false,
      renews: false,
      contested: false,
    }
  })
}

function viewOf(chance: Chance, services: readonly string[]): ViewName {
  const name = { namespace: 'default', service: chance.pick(services) }
  return chance.happens(0.2) ? { ...name, group: chance.pick(GROUPS) } : name
}
