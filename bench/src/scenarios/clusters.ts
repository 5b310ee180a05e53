/** Scenario `clusters`: calls of a client of two clusters, one of which is killed. */
import { measureOf, Series, type Target } from '../measure.js'
import type { ClustersLoad, Latencies } from '../programs/clusters-load.js'
import type { Scenario } from '../scenario.js'

const INSTANCES = 20
const PER_SECOND = 500
const CALLS_MS = 2_000
/** Starts of a client in each round, of which the middle one counts. */
const JOINS = 9
/** Dialing a second cluster costs a millisecond; waiting for it would cost the 300 ms of its head start. */
const READY: Target = { of: 'value', atMost: 50 }

/** What a dead registry costs a client that has another one. */
export const clusters: Scenario = {
  name: 'clusters',
  about: `calls over two clusters of which one is killed meanwhile: ${INSTANCES} instances, ${PER_SECOND} calls a second`,
  baseline: 'a client of the cluster that stays only, making the same calls at the same time',
  async run(stage) {
    const rounds = stage.options.long ? 15 : 7
    const stays = await stage.server({ memory: true })
    let dies = await stage.server({ memory: true })
    const { host, port } = dies
    const both = { stays: stays.url, dies: dies.url }
    const providers = stage.program<ClustersLoad>('clusters-load')
    await providers.call('provide', { urls: both, instances: INSTANCES })
    const two = stage.program<ClustersLoad>('clusters-load')
    const one = stage.program<ClustersLoad>('clusters-load')
    const pace = { forMs: CALLS_MS, perSecond: PER_SECOND }
    const alone = { stays: stays.url }
    const calls = () => Promise.all([two.call('call', pace), one.call('call', pace)])
    const [dying, dead] = [
      { two: new Series(), one: new Series() },
      { two: new Series(), one: new Series() },
    ]
    const keep = (into: typeof dying, [left, right]: readonly [Latencies, Latencies]): void => {
      into.two.add({ ...left })
      into.one.add({ ...right })
    }
    for (let round = -1; round < rounds; round++) {
      await providers.call('registered', { clusters: 2 })
      await two.call('join', { urls: both, times: 1 })
      await one.call('join', { urls: alone, times: 1 })
      const meanwhile = calls()
      await new Promise((resolve) => setTimeout(resolve, CALLS_MS / 4))
      await dies.kill()
      keep(dying, await meanwhile)
      keep(dead, await calls())
      dead.two.add({ ready: await two.call('join', { urls: both, times: JOINS }) })
      dead.one.add({ ready: await one.call('join', { urls: alone, times: JOINS }) })
      dies = await stage.server({ memory: true, listen: `${host}:${port}` })
      // The first round is the warm-up.
      if (round < 0)
        for (const each of [dying, dead]) [each.two, each.one].forEach((series) => series.clear())
    }
    const beside = (name: string, series: typeof dying, of: string, target: Target) =>
      measureOf({ name, unit: 'ms', rollcall: series.two.of(of), baseline: series.one.of(of), target })
    const failed = [...dying.two.of('failed'), ...dead.two.of('failed')]
    return {
      measures: [
        beside('call p50, one of two killed meanwhile', dying, 'p50', { of: 'ratio', atMost: 1.2 }),
        beside('call p99, one of two killed meanwhile', dying, 'p99', { of: 'ratio', atMost: 1.5 }),
        beside('call p50, one of two dead', dead, 'p50', { of: 'ratio', atMost: 1.2 }),
        beside('call p99, one of two dead', dead, 'p99', { of: 'ratio', atMost: 1.5 }),
        beside('connect() until ready, one of two dead', dead, 'ready', READY),
        measureOf({
          name: 'calls that failed, all rounds',
          unit: '',
          rollcall: [failed.reduce((sum, count) => sum + count, 0)],
          target: { of: 'value', atMost: 0 },
        }),
      ],
      rounds,
      notes: [
        `Every instance is registered with both clusters. Calls are \`service.fetch\` of a few bytes on one machine; a latency counts from when the call was due. SIGKILL a quarter into a stretch of ${CALLS_MS / 1_000} s; the client goes on trying to connect.`,
      ],
    }
  },
}
