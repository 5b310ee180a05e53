/** Single requests over HTTP: register, heartbeat, lookup. */
import type { ServerProcess } from '@rollcall/testkit'
import { measureOf, Series, type Measure } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { Program } from '../program.js'
import type { BareAnswer, BareHttp } from '../programs/bare-http.js'
import type { HttpLoad, HttpLoadProgram, Patch } from '../programs/http-load.js'
import type { Findings, Scenario, Stage } from '../scenario.js'
import { getJson, instancesOf, postJson } from './requests.js'

const CONNECTIONS = 64
/** Slow enough that no request queues on either side: what is left is the latency of one request. */
const PACED_RATE = 1_000
const WARM_UP_SECONDS = 1
const BASELINE =
  'a bare node:http server that reads the same bodies with JSON.parse and sends the same bodies'

/** One server under load. */
interface Side {
  readonly port: number
  readonly pid: number
  readonly series: Series
  /** Number of the next request. */
  next: number
}

/** A request as text; a run of `#` becomes the number of the request. */
interface Template {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
}

function bytesOf({ method, path, body }: Template, port: number): { request: Buffer; patches: Patch[] } {
  const text = body === undefined ? '' : JSON.stringify(body)
  const content =
    body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`
  const request = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${content}\r\n${text}`
  const patches = [...request.matchAll(/#+/g)].map(({ index, 0: marks }) => ({
    offset: index,
    digits: marks.length,
  }))
  return { request: Buffer.from(request), patches }
}

/** Both sides under the same load. */
class Contest {
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

/** What differs between the scenarios. */
interface Job {
  readonly template: Template
  /** Prepares the server and answers what the baseline sends. */
  prepare(server: ServerProcess): Promise<BareAnswer>
  /** Checks that the server did what it was asked for. */
  check(server: ServerProcess, requests: number): Promise<void>
  readonly extra?: (contest: Contest, rollcall: Side) => Promise<readonly Measure[]>
}

async function run(stage: Stage, job: Job): Promise<Findings> {
  const rounds = stage.options.long ? 9 : 3
  const server = await stage.server()
  const bare = stage.program<BareHttp>('bare-http')
  const load = stage.program<HttpLoadProgram>('http-load')
  await bare.call('prepare', await job.prepare(server))
  const rollcall: Side = { port: server.port, pid: server.pid, series: new Series(), next: 0 }
  const baseline: Side = { port: await bare.call('listen'), pid: bare.pid, series: new Series(), next: 0 }
  const contest = new Contest(load, stage.options.long ? 3 : 1.5)
  for (const side of [rollcall, baseline]) {
    await contest.flood(side, job.template, WARM_UP_SECONDS)
    side.series.clear()
  }

  for (let round = 0; round < rounds; round++) {
    await stage.profiled(server, 'requests', () => contest.flood(rollcall, job.template))
    await contest.flood(baseline, job.template)
  }
  for (let round = 0; round < rounds; round++) {
    for (const side of [rollcall, baseline])
      await contest.pace(side, job.template, stage.options.long ? 2 : 0.5)
  }
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

/** The address is not the caller's own, so that the node may not probe it; the extra measure shows what a probe costs. */
function registration(host: string, port: number, id: string): object {
  return {
    instances: [
      { service: 'orders-##', id, host, port, metadata: { version: '1.4.2', zone: 'a' }, leaseMs: 3_600_000 },
    ],
  }
}

const REGISTER = '/api/v1/register'

/** One new instance per request, acknowledged when it is on disk. */
export const register: Scenario = {
  name: 'register',
  about: 'one new instance per request over HTTP, acknowledged after the group commit',
  baseline: BASELINE,
  async run(stage) {
    const template: Template = {
      method: 'POST',
      path: REGISTER,
      body: registration('10.1.2.3', 8_080, 'orders-########'),
    }
    return run(stage, {
      template,
      async prepare(server) {
        const sample = JSON.parse(JSON.stringify(template.body).replaceAll('#', '7')) as object
        const body = await postJson(server.url, REGISTER, sample)
        if (!body.includes('"durability":"disk"')) throw new Error(`not on disk: ${body}`)
        return { body, headers: [] }
      },
      async check(server, requests) {
        // One more: the sample whose answer the baseline sends.
        const listed = await instancesOf(server.url)
        if (listed !== requests + 1)
          throw new Error(`${listed} instances after ${requests} registrations and one`)
      },
      async extra(contest, rollcall) {
        // Own series: the same request, from an instance at the caller's own address.
        const probed: Side = { ...rollcall, series: new Series(), next: 50_000_000 }
        const port = await stage.program<HttpLoadProgram>('http-load').call('listen')
        const own: Template = { ...template, body: registration('127.0.0.1', port, 'orders-########') }
        for (let round = 0; round < 3; round++) await contest.flood(probed, own)
        const before = rollcall.series.of('perCpuSecond').slice(0, 3)
        return [
          measureOf({
            name: 'requests per second of CPU time, each instance probed once (beside: not probed)',
            unit: '1/s',
            rollcall: probed.series.of('perCpuSecond'),
            baseline: before,
          }),
        ]
      },
    })
  },
}

const BEATING = 1_000

/** One beat per request. */
export const heartbeat: Scenario = {
  name: 'heartbeat',
  about: `one beat per request over HTTP, in turn for ${BEATING.toLocaleString('en')} instances`,
  baseline: BASELINE,
  run(stage) {
    const path = '/api/v1/heartbeat'
    const template: Template = {
      method: 'POST',
      path,
      body: { instances: [{ service: 'orders', id: 'orders-###' }] },
    }
    const nothing = '{"unknown":[],"deregistered":[],"superseded":[]}'
    const beat = async (server: ServerProcess): Promise<string> => {
      const instances = Array.from({ length: BEATING }, (_, index) => ({
        service: 'orders',
        id: `orders-${String(index).padStart(3, '0')}`,
      }))
      const body = await postJson(server.url, path, { instances })
      if (body !== nothing) throw new Error(`not all beats were heard: ${body.slice(0, 200)}`)
      return body
    }
    return run(stage, {
      template,
      async prepare(server) {
        const instances = Array.from({ length: BEATING }, (_, index) => ({
          service: 'orders',
          id: `orders-${String(index).padStart(3, '0')}`,
          host: '10.1.2.3',
          port: 8_080,
          leaseMs: 3_600_000,
        }))
        await postJson(server.url, REGISTER, { instances })
        return { body: await beat(server), headers: [] }
      },
      check: async (server) => void (await beat(server)),
    })
  },
}

const LISTED = 10

/** One list per request. */
export const lookup: Scenario = {
  name: 'lookup',
  about: `the list of a service of ${LISTED} instances over HTTP`,
  baseline: BASELINE,
  run(stage) {
    const path = '/api/v1/services/orders'
    return run(stage, {
      template: { method: 'GET', path },
      async prepare(server) {
        const instances = Array.from({ length: LISTED }, (_, index) => ({
          service: 'orders',
          host: `10.1.2.${index}`,
          port: 8_080,
          zone: `zone-${index % 3}`,
          metadata: { version: '1.4.2' },
          liveness: 'static',
        }))
        await postJson(server.url, REGISTER, { instances })
        const { body, etag } = await getJson(server.url, path)
        return { body, headers: ['ETag', etag, 'Cache-Control', 'no-cache'] }
      },
      async check(server) {
        const { body } = await getJson(server.url, path)
        if ((JSON.parse(body) as { instances: unknown[] }).instances.length !== LISTED)
          throw new Error(`not the list: ${body}`)
      },
    })
  },
}
