/** Scenario `dns`: queries over UDP. */
import { measureOf, Series, type Measure } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { BareDatagrams } from '../programs/bare-datagrams.js'
import type { DnsLoadProgram } from '../programs/dns-load.js'
import type { Scenario } from '../scenario.js'
import { extentOf } from './contest.js'
import { freePort } from './ports.js'
import { postJson } from './requests.js'

const LISTED = 10
const TYPES = { A: 1, SRV: 33 } as const

/** A query with EDNS that takes 1,232 bytes, as resolvers send it. */
function queryOf(name: string, type: number): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)])
  const head = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
  return Uint8Array.from([
    ...head,
    ...labels,
    0,
    0,
    type,
    0,
    1,
    0,
    0,
    41,
    1_232 >> 8,
    1_232 & 255,
    0,
    0,
    0,
    0,
    0,
    0,
  ])
}

const QUERIES = {
  'A, 10 addresses': queryOf('orders.service.rollcall', TYPES.A),
  'SRV, 10 instances with addresses': queryOf('_orders._tcp.service.rollcall', TYPES.SRV),
} as const

/** A service of ten instances, asked for again and again. */
export const dns: Scenario = {
  name: 'dns',
  about: `queries over UDP for a service of ${LISTED} instances, 64 under way`,
  baseline: 'a bare node:dgram server that sends the same bytes to every query',
  async run(stage) {
    const { seconds, rounds } = extentOf(stage)
    const port = await freePort()
    const server = await stage.server({ args: ['--dns', `127.0.0.1:${port}`] })
    const instances = Array.from({ length: LISTED }, (_, index) => ({
      service: 'orders',
      host: `10.1.2.${index}`,
      port: 8_080,
      liveness: 'static',
    }))
    await postJson(server.url, '/api/v1/register', { instances })
    const measures: Measure[] = []
    const sizes: string[] = []
    for (const [name, query] of Object.entries(QUERIES)) {
      const bare = stage.program<BareDatagrams>('bare-datagrams')
      const load = stage.program<DnsLoadProgram>('dns-load')
      const answer = await load.call('askOnce', { port, query })
      sizes.push(`${name}: ${answer.length} bytes`)
      await bare.call('prepare', answer)
      const rollcall = { port, pid: server.pid, series: new Series() }
      const baseline = { port: await bare.call('listen'), pid: bare.pid, series: new Series() }
      for (let round = 0; round <= rounds; round++) {
        for (const side of [rollcall, baseline]) {
          const before = await settledCpuMs(side.pid)
          const work = () => load.call('run', { port: side.port, seconds, query })
          const result = await (side === rollcall && round > 0 ? stage.profiled(server, name, work) : work())
          const cpuSeconds = ((await settledCpuMs(side.pid)) - before) / 1_000
          // The first round is the warm-up.
          if (round === 0) continue
          side.series.add({
            rate: result.queries / result.seconds,
            perCpuSecond: result.queries / cpuSeconds,
            p99Ms: result.p99Ms,
            lost: result.lost,
          })
        }
      }
      await Promise.all([bare.stop(), load.stop()])
      const both = (what: string) => ({
        rollcall: rollcall.series.of(what),
        baseline: baseline.series.of(what),
      })
      const target = { of: 'ratio', atLeast: 0.8 } as const
      measures.push(
        measureOf({ name: `${name}: queries/s`, unit: '1/s', ...both('rate'), target }),
        measureOf({
          name: `${name}: queries per second of CPU time`,
          unit: '1/s',
          ...both('perCpuSecond'),
          target,
        }),
        measureOf({ name: `${name}: latency p99, as fast as it goes`, unit: 'ms', ...both('p99Ms') }),
        measureOf({
          name: `${name}: datagrams without an answer`,
          unit: '',
          rollcall: rollcall.series.of('lost'),
        }),
      )
    }
    return { measures, rounds, notes: [`${sizes.join('; ')}. Sources on loopback have no rate.`] }
  },
}
