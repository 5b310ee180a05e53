/** Scenario `watched`: memory and CPU of a client that watches very many services. */
import { measureOf, Series } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { WatchedLoad } from '../programs/watched-load.js'
import type { Scenario } from '../scenario.js'

const SERVICES = 1_000
const INSTANCES = 100

/** What a consumer of very many services costs its process. */
export const watched: Scenario = {
  name: 'watched',
  about: `a client that watches ${SERVICES.toLocaleString('en')} services of ${INSTANCES} instances: its heap, and its CPU time per change`,
  baseline: 'a bare ws client that reads the same messages with JSON.parse and keeps nothing',
  async run(stage) {
    const rounds = stage.options.long ? 15 : 5
    const { port } = await stage.server({ memory: true })
    const all = { port, services: SERVICES, instances: INSTANCES }
    const provider = stage.program<WatchedLoad>('watched-load')
    await provider.call('provide', all)
    const sdk = stage.program<WatchedLoad>('watched-load')
    const bare = stage.program<WatchedLoad>('watched-load')
    const empty = await sdk.call('heapBytes')
    await sdk.call('watchWithSdk', all)
    const heap = (await sdk.call('heapBytes')) - empty
    await bare.call('watchBare', all)

    const [rollcall, baseline] = [new Series(), new Series()]
    for (let round = -2; round < rounds; round++) {
      const revision = round + 3
      const before = { sdk: await settledCpuMs(sdk.pid), bare: await settledCpuMs(bare.pid) }
      await provider.call('change', { services: SERVICES, revision })
      for (const consumer of [sdk, bare]) await consumer.call('reached', { services: SERVICES, revision })
      rollcall.add({ us: ((await settledCpuMs(sdk.pid)) - before.sdk) * (1_000 / SERVICES) })
      baseline.add({ us: ((await settledCpuMs(bare.pid)) - before.bare) * (1_000 / SERVICES) })
      if (round < 0) for (const series of [rollcall, baseline]) series.clear()
    }
    return {
      measures: [
        measureOf({
          name: 'CPU time per change of one instance',
          unit: 'µs',
          rollcall: rollcall.of('us'),
          baseline: baseline.of('us'),
        }),
        measureOf({
          name: 'heap per instance after a full collection',
          unit: 'B',
          rollcall: [heap / (SERVICES * INSTANCES)],
        }),
      ],
      rounds,
      notes: [
        `Each round changes one instance of every service, each in a message of its own. Both clients receive the same at the same time; pings and, of the SDK, acknowledgements and timers are included. No snapshots, no reader of \`changes()\`.`,
      ],
    }
  },
}
