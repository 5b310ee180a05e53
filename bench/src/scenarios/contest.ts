/** One kind of request at a time, to a node and to a bare server that sends the same: what single requests have in common. */
import type { ServerProcess } from '@rollcall/testkit'
import { measureOf, Series, type Measure } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { Program } from '../program.js'
import type { BareAnswer, BareHttp } from '../programs/bare-http.js'
import type { HttpLoad, HttpLoadProgram, Patch } from '../programs/http-load.js'
import type { Findings, Stage } from '../scenario.js'

const CONNECTIONS = 64
/** Slow enough that no request queues on either side: what is left is the latency of one request. */
const PACED_RATE = 1_000
const WARM_UP_SECONDS = 1
export const BASELINE =
  'a bare node:http server that reads the same bodies with JSON.parse and sends the same bodies'

/** One server under load. */
export interface Side {
  readonly port: number
  readonly pid: number
  readonly series: Series
  /** Number of the next request. */
  next: number
}

/** A request as text; a run of `#` becomes the number of the request. */
export interface Template {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: unknown
  /** Further headers, such as `Accept: application/json`. */
  readonly headers?: readonly string[]
}

function bytesOf(
  { method, path, body, headers = [] }: Template,
  port: number,
): { request: Buffer; patches: Patch[] } {
  const text = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    ...headers,
    ...(body === undefined ? [] : ['Content-Type: application/json']),
    ...(method === 'GET' ? [] : [`Content-Length: ${text.length}`]),
  ]
  const request = `${lines.join('\r\n')}\r\n\r\n${text}`
  const patches = [...request.matchAll(/#+/g)].map(({ index, 0: marks }) => ({
    offset: index,
    digits: marks.length,
  }))
  return { request: Buffer.from(request), patches }
}

/** Both sides under the same load. */
export class Contest {
  private readonly load: Program<HttpLoadProgram>
  private readonly seconds: number

  constructor(load: Program<HttpLoadProgram>, seconds: number) {
    this.load = load
    this.seconds = seconds
  }

  /** As many requests as 64 connections get answered. */
  async flood(side: Side, template: Template, seconds: number = this.seconds): Promise<void> {
    const before = await settledCpuMs(side.pid)
    const result = await this.ask(side, template, { seconds })
    const cpuSeconds = ((await settledCpuMs(side.pid)) - before) / 1_000
    side.series.add({
      rate: result.requests / result.seconds,
      perCpuSecond: result.requests / cpuSeconds,
      floodP50Ms: result.p50Ms,
      floodP99Ms: result.p99Ms,
    })
  }

  /** A thousand requests per second. */
  async pace(side: Side, template: Template, seconds: number): Promise<void> {
    const { p50Ms, p99Ms } = await this.ask(side, template, { seconds, rate: PACED_RATE })
    side.series.add({ pacedP50Ms: p50Ms, pacedP99Ms: p99Ms })
  }

  private async ask(side: Side, template: Template, how: Pick<HttpLoad, 'seconds' | 'rate'>) {
    const result = await this.load.call('run', {
      port: side.port,
      connections: CONNECTIONS,
      from: side.next,
      ...bytesOf(template, side.port),
      ...how,
    })
    side.next += result.requests
    return result
  }
}

/** How long, and how often. */
interface Extent {
  readonly seconds: number
  readonly pacedSeconds: number
  readonly rounds: number
}

export function extentOf({ options: { long } }: Stage): Extent {
  return { seconds: long ? 3 : 1.5, pacedSeconds: long ? 2 : 0.5, rounds: long ? 9 : 3 }
}

/** Warms both sides up, then lets them take turns. `baselineTemplate`: where the floor is asked the same otherwise. */
export async function takeTurns(
  stage: Stage,
  contest: Contest,
  { server, rollcall, baseline }: Opponents,
  template: Template,
  what = 'requests',
  baselineTemplate: Template = template,
): Promise<void> {
  const { rounds, pacedSeconds } = extentOf(stage)
  const sides = [
    [rollcall, template],
    [baseline, baselineTemplate],
  ] as const
  for (const [side, own] of sides) {
    await contest.flood(side, own, WARM_UP_SECONDS)
    side.series.clear()
  }
  for (let round = 0; round < rounds; round++) {
    await stage.profiled(server, what, () => contest.flood(rollcall, template))
    await contest.flood(baseline, baselineTemplate)
  }
  for (let round = 0; round < rounds; round++) {
    for (const [side, own] of sides) await contest.pace(side, own, pacedSeconds)
  }
}

/** A node and its floor. */
export interface Opponents {
  readonly server: ServerProcess
  readonly rollcall: Side
  readonly baseline: Side
}

/** What differs between the scenarios of one request. */
interface Job {
  readonly template: Template
  /** Prepares the server and answers what the baseline sends. */
  prepare(server: ServerProcess): Promise<BareAnswer>
  /** Checks that the server did what it was asked for. */
  check(server: ServerProcess, requests: number): Promise<void>
  readonly extra?: (contest: Contest, rollcall: Side) => Promise<readonly Measure[]>
}

/** Runs a scenario of one request. */
export async function run(stage: Stage, job: Job): Promise<Findings> {
  const server = await stage.server()
  const bare = stage.program<BareHttp>('bare-http')
  const load = stage.program<HttpLoadProgram>('http-load')
  await bare.call('prepare', await job.prepare(server))
  const rollcall: Side = { port: server.port, pid: server.pid, series: new Series(), next: 0 }
  const baseline: Side = { port: await bare.call('listen'), pid: bare.pid, series: new Series(), next: 0 }
  const { seconds, rounds } = extentOf(stage)
  const contest = new Contest(load, seconds)
  await takeTurns(stage, contest, { server, rollcall, baseline }, job.template)
  await job.check(server, rollcall.next)
  const extra = (await job.extra?.(contest, rollcall)) ?? []
  return { measures: [...measures(rollcall.series, baseline.series), ...extra], rounds, notes: [] }
}

function measures(rollcall: Series, baseline: Series): Measure[] {
  const both = (name: string) => ({ rollcall: rollcall.of(name), baseline: baseline.of(name) })
  const target = { of: 'ratio', atLeast: 0.8 } as const
  return [
    measureOf({ name: `requests/s, ${CONNECTIONS} connections`, unit: '1/s', ...both('rate'), target }),
    measureOf({ name: 'requests per second of CPU time', unit: '1/s', ...both('perCpuSecond'), target }),
    measureOf({ name: `latency p50, ${PACED_RATE}/s`, unit: 'ms', ...both('pacedP50Ms') }),
    measureOf({ name: `latency p99, ${PACED_RATE}/s`, unit: 'ms', ...both('pacedP99Ms') }),
    measureOf({ name: 'latency p50, as fast as it goes', unit: 'ms', ...both('floodP50Ms') }),
    measureOf({ name: 'latency p99, as fast as it goes', unit: 'ms', ...both('floodP99Ms') }),
  ]
}
