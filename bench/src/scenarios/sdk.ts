/** The SDK: choosing an instance, and starting to watch many services. */
import type { BalancingOptions } from '@rollcall/client'
import { measureOf, Series } from '../measure.js'
import type { Program } from '../program.js'
import type { Relay } from '../programs/relay.js'
import type { PickList, SdkLoad } from '../programs/sdk-load.js'
import type { StreamLoad } from '../programs/stream-load.js'
import type { Scenario } from '../scenario.js'

const LISTS: readonly (PickList & { readonly name: string })[] = [10, 1_000].flatMap((instances) => {
  const list = (name: string, options: BalancingOptions, weighted: boolean, keyed = false) => ({
    name: `${name}, ${instances.toLocaleString('en')} instances`,
    options,
    weighted,
    keyed,
    instances,
  })
  return [
    list('round-robin', { balancer: 'round-robin' }, false),
    list('weighted', { balancer: 'weighted' }, true),
    list('least-loaded', { balancer: 'least-loaded' }, true),
    list('hash, with a key', { balancer: 'hash' }, true, true),
    list('weighted, own zone of three first', { balancer: 'weighted', zone: 'a' }, true),
  ]
})

/** The hot path of every caller. */
export const pick: Scenario = {
  name: 'pick',
  about: 'pick() of the SDK by balancer (weights 1 to 100 but for round robin)',
  baseline: 'the next element of a plain array',
  async run(stage) {
    const rounds = stage.options.long ? 15 : 7
    const picks = 500_000
    const measures = []
    for (const list of LISTS) {
      // A process for each, so that one list does not spoil the compiled code of the next.
      const sdk = stage.program<SdkLoad>('sdk-load')
      await sdk.call('prepare', list)
      const [rollcall, baseline] = [new Series(), new Series()]
      for (let round = -1; round < rounds; round++) {
        rollcall.add({ ns: await sdk.call('time', { whose: 'sdk', picks }) })
        baseline.add({ ns: await sdk.call('time', { whose: 'bare', picks }) })
        if (round < 0) for (const series of [rollcall, baseline]) series.clear()
      }
      await sdk.stop()
      measures.push(
        measureOf({
          name: list.name,
          unit: 'ns',
          rollcall: rollcall.of('ns'),
          baseline: baseline.of('ns'),
          target: { of: 'value', atMost: 200 },
        }),
      )
    }
    return { measures, rounds, notes: [] }
  },
}

const SERVICES = 50
const SMALL = 20
const LARGE = 1_000
const DELAY_MS = 20

/** Start-up of a program that calls many services. */
export const watchMany: Scenario = {
  name: 'watch-many',
  about: 'from connect() until 50 services can be called: 49 of 20 instances and one of 1,020',
  baseline: 'the same SDK, and only the service that takes longest',
  async run(stage) {
    const rounds = stage.options.long ? 21 : 9
    const server = await stage.server({ memory: true })
    const load = stage.program<StreamLoad>('stream-load')
    const { port, url } = server
    await load.call('register', { port, from: 0, instances: LARGE, services: 1, perMessage: LARGE })
    const all = SERVICES * SMALL
    await load.call('register', { port, from: all, instances: all, services: SERVICES, perMessage: all })
    const services = Array.from(
      { length: SERVICES },
      (_, index) => `service-${String(index).padStart(4, '0')}`,
    )
    const relayed = await stage.program<Relay>('relay').call('listen', { port, delayMs: DELAY_MS })
    const near = await startUps(stage.program<SdkLoad>('sdk-load'), url, services, rounds)
    const far = await startUps(
      stage.program<SdkLoad>('sdk-load'),
      `http://127.0.0.1:${relayed}`,
      services,
      rounds,
    )
    return {
      measures: [
        measureOf({
          name: `50 services ready, the node ${DELAY_MS} ms away`,
          unit: 'ms',
          ...far,
          target: { of: 'ratio', atMost: 1.25 },
        }),
        measureOf({ name: '50 services ready, the node on the same machine', unit: 'ms', ...near }),
      ],
      rounds,
      notes: [
        `No snapshot; a fresh client each time, in a process that is warm. *Away* is the delay of each direction through a relay: what counts in a start is that 50 services take no more round trips than one. On the same machine both sides only parse, twice as much for all services as for the largest.`,
      ],
    }
  },
}

/** Fresh clients in turn: of all services, and of the first alone. */
async function startUps(
  sdk: Program<SdkLoad>,
  url: string,
  services: readonly string[],
  rounds: number,
): Promise<{ readonly rollcall: readonly number[]; readonly baseline: readonly number[] }> {
  const [all, one] = [new Series(), new Series()]
  for (let round = -2; round < rounds; round++) {
    all.add({ ms: await sdk.call('ready', { url, services }) })
    one.add({ ms: await sdk.call('ready', { url, services: services.slice(0, 1) }) })
    // The first two pairs are the warm-up.
    if (round < 0) for (const series of [all, one]) series.clear()
  }
  return { rollcall: all.of('ms'), baseline: one.of('ms') }
}
