/** Scenario `consul`: what clients of Consul ask for, and how soon requests that wait are woken. */
import { measureOf, Series, type Measure } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { WakeLoad } from '../programs/wake-load.js'
import type { Scenario, Stage } from '../scenario.js'
import type { HttpLoadProgram } from '../programs/http-load.js'
import { Contest, extentOf, type Side, takeTurns, type Template } from './contest.js'
import { contend, FOREIGN_BASELINE, type ForeignNode } from './foreign.js'
import { freePort } from './ports.js'
import { answerOf, postJson } from './requests.js'

const LISTED = 10
const WAITING = 500
const CHANGES = 20

async function nodeWithConsul(stage: Stage): Promise<ForeignNode> {
  const port = await freePort()
  return { server: await stage.server({ args: ['--consul', `127.0.0.1:${port}`] }), port }
}

/** As Spring Cloud Consul registers, with a TTL that does not run out meanwhile. */
function definitionOf(service: string, id: string, address: string): object {
  return {
    ID: id,
    Name: service,
    Tags: ['v1', 'secure=false'],
    Address: address,
    Port: 8_080,
    Meta: { version: '1.4.2', zone: 'zone-1' },
    Check: { TTL: '3600s', Status: 'passing', DeregisterCriticalServiceAfter: '2h' },
  }
}

const REGISTER = '/v1/agent/service/register'

/** The same for the native protocol. */
function nativeInstances(): object[] {
  return Array.from({ length: LISTED }, (_, index) => ({
    service: 'orders',
    id: `orders-${index}`,
    host: `10.1.2.${index}`,
    port: 8_080,
    zone: 'zone-1',
    metadata: { version: '1.4.2' },
    liveness: 'static',
  }))
}

/** Changes told to clients that wait, by blocking queries and by the native stream, in turns. */
async function wakings(stage: Stage, { server, port }: ForeignNode): Promise<readonly Measure[]> {
  // Each has a node of its own, so that nothing is told to the other.
  const native = await stage.server()
  await postJson(native.url, '/api/v1/register', { instances: nativeInstances() })
  const waiting = stage.program<WakeLoad>('wake-load')
  const streaming = stage.program<WakeLoad>('wake-load')
  await waiting.call('open', { kind: 'blocking', port, native: server.port, count: WAITING })
  await streaming.call('open', { kind: 'stream', port: native.port, native: native.port, count: WAITING })
  const [blocked, streamed] = [new Series(), new Series()]
  for (let round = 0; round <= (stage.options.long ? 9 : 3); round++) {
    for (const [load, series, { pid }] of [
      [waiting, blocked, server],
      [streaming, streamed, native],
    ] as const) {
      const before = await settledCpuMs(pid)
      const work = () => load.call('wake', { changes: CHANGES })
      const { p50Ms, p99Ms, told } = await (load === waiting && round > 0
        ? stage.profiled(server, 'blocking queries woken', work)
        : work())
      const cpuUs = (((await settledCpuMs(pid)) - before) * 1_000) / told
      // The first round is the warm-up.
      if (round > 0) series.add({ p50Ms, p99Ms, cpuUs })
    }
  }
  await Promise.all([waiting.stop(), streaming.stop()])
  const both = (what: string) => ({ rollcall: blocked.of(what), baseline: streamed.of(what) })
  const target = { of: 'ratio', atMost: 1.5 } as const
  const beside = `${WAITING} blocking queries (beside: ${WAITING} native streams)`
  return [
    measureOf({ name: `change → client p50, ${beside}`, unit: 'ms', ...both('p50Ms') }),
    measureOf({ name: `change → client p99, ${beside}`, unit: 'ms', ...both('p99Ms'), target }),
    measureOf({ name: `CPU time per client that is told, ${beside}`, unit: 'µs', ...both('cpuUs') }),
  ]
}

/** Registrations by Consul's clients, beside the same by the native protocol: both are acknowledged after the group commit. */
async function registrations(stage: Stage): Promise<readonly Measure[]> {
  const [foreign, native] = [await nodeWithConsul(stage), await stage.server()]
  const load = stage.program<HttpLoadProgram>('http-load')
  const rollcall: Side = { port: foreign.port, pid: foreign.server.pid, series: new Series(), next: 0 }
  const baseline: Side = { port: native.port, pid: native.pid, series: new Series(), next: 0 }
  const contest = new Contest(load, extentOf(stage).seconds)
  const template: Template = {
    method: 'PUT',
    path: REGISTER,
    body: definitionOf('orders-##', 'orders-########', '10.1.2.3'),
  }
  const same: Template = {
    method: 'POST',
    path: '/api/v1/register',
    body: {
      instances: [
        {
          service: 'orders-##',
          id: 'orders-########',
          host: '10.1.2.3',
          port: 8_080,
          zone: 'zone-1',
          metadata: { version: '1.4.2', tags: 'v1,secure=false' },
          leaseMs: 7_200_000,
        },
      ],
    },
  }
  const opponents = { server: foreign.server, rollcall, baseline }
  await takeTurns(stage, contest, opponents, template, 'register', same)
  await load.stop()
  const both = (what: string) => ({ rollcall: rollcall.series.of(what), baseline: baseline.series.of(what) })
  const target = { of: 'ratio', atLeast: 0.8 } as const
  const name = (what: string): string => `register (beside: the same natively): ${what}`
  return [
    measureOf({ name: name('requests/s, 64 connections'), unit: '1/s', ...both('rate'), target }),
    measureOf({
      name: name('requests per second of CPU time'),
      unit: '1/s',
      ...both('perCpuSecond'),
      target,
    }),
    measureOf({ name: name('latency p99, as fast as it goes'), unit: 'ms', ...both('floodP99Ms') }),
  ]
}

/** One kind of request after the other. */
export const consul: Scenario = {
  name: 'consul',
  about: `what clients of Consul ask for: the health of a service of ${LISTED} instances, registrations, changes`,
  baseline: FOREIGN_BASELINE,
  async run(stage) {
    const node = await nodeWithConsul(stage)
    for (let index = 0; index < LISTED; index++) {
      const body = JSON.stringify(definitionOf('orders', `orders-${index}`, `10.1.2.${index}`))
      await answerOf(node.port, REGISTER, { method: 'PUT', body })
    }
    const path = '/v1/health/service/orders?passing=1'
    const lookup = await contend(stage, node, { name: 'health lookup', template: { method: 'GET', path } })
    const pass = '/v1/agent/check/pass/service:orders-#'
    const beat = await contend(stage, node, { name: 'check passed', template: { method: 'PUT', path: pass } })
    const woken = await wakings(stage, node)
    await node.server.kill()
    const register = await registrations(stage)
    return {
      measures: [...lookup, ...beat, ...woken, ...register],
      rounds: stage.options.long ? 9 : 3,
      notes: [
        'What a registration costs beside a bare server, of which the journal is the larger part, is measured by the scenario register.',
        `A client is told when it has the whole answer, and asks again at once; a change is a registration over the native protocol, ${CHANGES} in a round.`,
      ],
    }
  },
}
