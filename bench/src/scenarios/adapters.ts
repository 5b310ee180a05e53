/** Scenario `adapters`: whether clients of the native protocol wait longer because the node speaks other protocols too. */
import { setTimeout as sleep } from 'node:timers/promises'
import { measureOf, type Measure } from '../measure.js'
import type { AdapterLoad } from '../programs/adapter-load.js'
import type { LoopWatch } from '../programs/loop-watch.js'
import type { TurnLoad } from '../programs/turn-load.js'
import type { Scenario } from '../scenario.js'
import { freePort } from './ports.js'
import { AFTER_MS, BEFORE_MS } from './turn.js'

/** The operations of `turn`, of a node with adapters on and asked, and of one without. */
export const adapters: Scenario = {
  name: 'adapters',
  about:
    'the operations of `turn` at a node with Eureka, Consul and DNS on and their clients asking all the while',
  baseline: 'a node of the same run without adapters, asked for the same operation in turn',
  async run(stage) {
    const rounds = stage.options.long ? 9 : 3
    const ports = { eureka: await freePort(), consul: await freePort(), dns: await freePort() }
    const flags = Object.entries(ports).flatMap(([name, port]) => [`--${name}`, `127.0.0.1:${port}`])
    const on = await stage.server({ args: flags })
    const off = await stage.server()
    const watch = stage.program<LoopWatch>('loop-watch')
    const sides = [
      { server: on, load: stage.program<TurnLoad>('turn-load') },
      { server: off, load: stage.program<TurnLoad>('turn-load') },
    ] as const
    for (const { server, load } of sides) await load.call('prepare', { port: server.port })
    const clients = stage.program<AdapterLoad>('adapter-load')
    await clients.call('start', ports)
    await watch.call('watch', [on.port, off.port])
    await sleep(5_000)
    const measures: Measure[] = []
    for (const operation of await sides[0].load.call('operations')) {
      const worst: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        for (const [side, { server, load }] of sides.entries()) {
          await load.call('ready', { round, operation })
          await sleep(BEFORE_MS)
          await watch.call('worst')
          await stage.profiled(server, `${operation}, ${side === 0 ? 'on' : 'off'}`, () =>
            load.call('perform'),
          )
          await sleep(AFTER_MS)
          worst[side]?.push((await watch.call('worst'))[side] ?? Number.NaN)
        }
      }
      const target = { of: 'value', atMost: 100 } as const
      measures.push(
        measureOf({ name: operation, unit: 'ms', rollcall: worst[0], baseline: worst[1], target }),
      )
    }
    return {
      measures,
      rounds,
      notes: [
        `Asked meanwhile: in a second ${RATES_IN_WORDS}; ${await clients.call('answered')} answers in all. Both nodes hold 50,000 instances, all of which a list of Eureka has, and 2,000 declared services.`,
      ],
    }
  },
}

const RATES_IN_WORDS =
  'half a full list and five deltas of Eureka (gzip), 50 renewals, 50 health lookups, 200 DNS queries; 20 blocking queries wait'
