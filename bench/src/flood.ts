/** One flood: what a single client does to a node, what that costs, and how others fare meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import type { ServerProcess } from '@rollcall/testkit'
import { INSPECTABLE, inspect } from './inspector.js'
import { forgetPeak, residentBytes } from './process-memory.js'
import type { FloodLoad } from './programs/flood-load.js'
import type { Fared, Living } from './programs/living.js'
import type { LoopWatch } from './programs/loop-watch.js'
import type { Stage } from './scenario.js'

/** Stands among the quotas for connections that the node ended without an answer. */
export const CUT_OFF = 'cut off'

interface FloodFacts {
  readonly about: string
  /** What has to refuse it; undefined where it is served. */
  readonly quota?: string
  /** How long the node keeps what it took, if longer than a moment. */
  readonly keptMs?: number
  /** It fills the heap: others may be refused too, for that reason. With a large one it would take too long. */
  readonly fillsHeap?: true
}

export type FloodName =
  | 'pipelined'
  | 'unread'
  | 'versions'
  | 'strays'
  | 'watches'
  | 'sessions'
  | 'waiting'
  | 'polls'
  | 'since'
  | 'records'
  | 'bodies'
  | 'together'

/** Every flood. */
export const FLOODS: Readonly<Record<FloodName, FloodFacts>> = {
  pipelined: { about: '12 KB of pipelined lookups of a list of 12 MB', quota: 'pipelinedMax' },
  unread: { about: '60 readers of one list of 20 MB that do not read' },
  versions: {
    about: '60 readers of 60 versions of a list of 20 MB that do not read',
    quota: 'unsentBytesMax',
  },
  strays: {
    about: '102 batches of 10,000 deregistrations of what was never registered',
    quota: 'strayBytesMax',
    keptMs: 32_000,
  },
  watches: { about: '1,000,000 watches in one session', quota: 'watchesPerSubscriberMax' },
  sessions: { about: '1,000,000 watches in 100 sessions', quota: 'watchBytesMax' },
  waiting: { about: '300 waits for parts of a list of 20,000 services, 5 changes' },
  polls: { about: '12,000 long polls in one write', quota: CUT_OFF },
  since: { about: '50 lookups since an unknown sign, list of 12 MB' },
  records: {
    about: 'batches of 500 instances with 8,100 B of metadata until refused',
    quota: 'recordBytesMax',
  },
  bodies: { about: '60 bodies of 8 MB that are begun', quota: 'receivedBytesMax' },
  together: {
    about:
      'records until refused, then 60 registrations of 8 MB, 1,000,000 watches and 20 unread lists at once',
    quota: 'recordBytesMax',
    fillsHeap: true,
  },
}

/** What a flood did. Memory is resident, in MiB. */
export interface Outcome {
  readonly flood: FloodName
  readonly about: string
  /** `--max-old-space-size` of the node; `default` without. */
  readonly heap: number | 'default'
  /** The longest that /livez took, from the first byte until the client was gone; and of a node that was left alone. */
  readonly livezMs: number
  readonly calmMs: number
  readonly seconds: number
  /** Before, and after, each after a collection; `idle` is after without one. */
  readonly memory: {
    readonly before: number
    readonly most: number
    readonly idle: number
    readonly after: number
  }
  /** Heap in use after collections, MiB. */
  readonly heapUsed: { readonly before: number; readonly after: number }
  /** How often each quota refused, and CUT_OFF. */
  readonly refusals: Readonly<Record<string, number>>
  readonly living: Fared
  /** What the node still counts when the client is gone: long polls, watches, bytes that are unsent or half received. */
  readonly left: number
}

const MIB = 2 ** 20
/** The heap that a node gets by default is that of this process. */
const HEAP_MIB = getHeapStatistics().heap_size_limit / MIB
const QUIET_MS = 1_000
/** After the client is gone: the end of its sockets, and what is tidied up in slices. */
const TIDY_MS = 3_000
const LEFT = [
  'rollcall_budget_used{quota="waitersMax"}',
  'rollcall_budget_used_bytes{quota="unsentBytesMax"}',
  'rollcall_budget_used_bytes{quota="receivedBytesMax"}',
  'rollcall_budget_used{quota="watchesMax"}',
]

/** Floods a node of its own; rejects with what it wrote where that ends. */
export async function measureFlood(
  stage: Stage,
  flood: FloodName,
  heapMiB: number | undefined,
): Promise<Outcome> {
  const heap = heapMiB === undefined ? '' : ` --max-old-space-size=${heapMiB}`
  const busy = await stage.server({ env: { NODE_OPTIONS: INSPECTABLE.NODE_OPTIONS + heap } })
  try {
    return {
      flood,
      about: FLOODS[flood].about,
      heap: heapMiB ?? 'default',
      ...(await measure(stage, busy, flood)),
    }
  } catch (error) {
    const { exitCode, signalCode } = busy.process
    if (exitCode === null && signalCode === null) throw error
    throw new Error(`the node ended (${signalCode ?? exitCode}): ${busy.stderr().slice(-2_000)}`, {
      cause: error,
    })
  }
}

async function measure(
  stage: Stage,
  busy: ServerProcess,
  flood: FloodName,
): Promise<Omit<Outcome, 'flood' | 'about' | 'heap'>> {
  const short = !stage.options.long
  const { keptMs = 0 } = FLOODS[flood]
  const calm = await stage.server()
  const load = stage.program<FloodLoad>('flood-load')
  const living = stage.program<Living>('living')
  const watch = stage.program<LoopWatch>('loop-watch')
  const inspector = await inspect(busy)
  await load.call('prepare', { port: busy.port, flood, short })
  await living.call('live', { port: busy.port })
  const before = await inspector.heapAfterCollection()
  await watch.call('watch', [busy.port, calm.port])
  await sleep(QUIET_MS)
  await watch.call('worst')
  forgetPeak(busy.pid)
  const began = performance.now()
  const named = await load.call('perform', flood)
  const seconds = (performance.now() - began) / 1_000
  const counted = await refusalsOf(busy.url)
  await load.call('release')
  await sleep(TIDY_MS)
  const [livezMs = Number.NaN, calmMs = Number.NaN] = await watch.call('worst')
  if (!short) await sleep(keptMs)
  const fared = await living.call('end')
  const { now, most } = residentBytes(busy.pid)
  const left = await leftOf(busy.url)
  const after = await inspector.heapAfterCollection()
  inspector.close()
  return {
    livezMs,
    calmMs,
    seconds,
    memory: {
      before: before.residentBytes / MIB,
      most: most / MIB,
      idle: now / MIB,
      after: residentBytes(busy.pid).now / MIB,
    },
    heapUsed: { before: before.heapBytes / MIB, after: after.heapBytes / MIB },
    refusals: larger(named, counted),
    living: fared,
    left,
  }
}

/** What is wrong with it; nothing where the node kept its promises. */
export function problemsOf(outcome: Outcome): string[] {
  const { flood, heap, livezMs, calmMs, memory, refusals, living, left } = outcome
  const { quota, fillsHeap } = FLOODS[flood]
  const problems = [...new Set(living.failed)].map((text) => `a living service: ${text}`)
  if (living.cycles === 0) problems.push('no living service came through')
  if (living.missed > 0) problems.push(`the living were missed ${living.missed} times`)
  if (Object.keys(living.refused).some((name) => name !== 'heap' || fillsHeap !== true))
    problems.push(`living services were refused: ${JSON.stringify(living.refused)}`)
  if (quota !== undefined && refusals[quota] === undefined)
    problems.push(`nothing was refused by ${quota}, but by ${JSON.stringify(refusals)}`)
  if (livezMs > calmMs + LIVEZ_MS_MAX) problems.push(`/livez took ${Math.round(livezMs)} ms`)
  const gained = memory.most - memory.before
  if (gained > GAINED_MAX * (heap === 'default' ? HEAP_MIB : heap))
    problems.push(`${Math.round(gained)} MiB were gained`)
  if (left > 0) problems.push(`${left} were left behind`)
  return problems
}

/** Answers that wait, bodies and garbage come on top of a heap. */
const GAINED_MAX = 3
/** Far beyond what is measured: a machine under load shall not fail it. */
const LIVEZ_MS_MAX = 2_000

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text()
}

async function refusalsOf(url: string): Promise<Record<string, number>> {
  const counters = (await metricsOf(url)).matchAll(/^rollcall_limit_refusals_total\{quota="(\w+)"\} (\d+)/gm)
  const counts = [...counters].map(([, quota, count]) => [quota, Number(count)] as const)
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

async function leftOf(url: string): Promise<number> {
  const text = await metricsOf(url)
  return LEFT.reduce((sum, name) => {
    const line = text.split('\n').find((each) => each.startsWith(`${name} `))
    if (line === undefined) throw new Error(`there is no metric ${name}`)
    return sum + Number(line.slice(name.length))
  }, 0)
}

/** Some refusals are counted by the node, some are only told to the client. */
function larger(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
  return Object.fromEntries(names.map((name) => [name, Math.max(one[name] ?? 0, other[name] ?? 0)]))
}
