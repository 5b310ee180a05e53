/** Scenario `turn`: how long one client can hold up a node. */
import { setTimeout as sleep } from 'node:timers/promises'
import { measureOf, type Measure } from '../measure.js'
import type { LoopWatch } from '../programs/loop-watch.js'
import type { TurnLoad } from '../programs/turn-load.js'
import type { Scenario } from '../scenario.js'

/** What an operation leaves behind is watched for this long: publications, probes, the end of its sockets. */
export const AFTER_MS = 700

/** Before it the node is left alone, so that what made it ready is over. */
export const BEFORE_MS = 300

/** Each operation at its limits, by one client. */
export const turn: Scenario = {
  name: 'turn',
  about: 'the longest that /livez takes while one client asks for each operation at its limits',
  baseline: 'an idle node of the same run',
  async run(stage) {
    const rounds = stage.options.long ? 9 : 3
    const busy = await stage.server()
    const idle = await stage.server()
    const load = stage.program<TurnLoad>('turn-load')
    const watch = stage.program<LoopWatch>('loop-watch')
    await load.call('prepare', { port: busy.port })
    await watch.call('watch', [busy.port, idle.port])
    const measures: Measure[] = []
    for (const operation of await load.call('operations')) {
      const [rollcall, baseline]: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        await load.call('ready', { round, operation })
        await sleep(BEFORE_MS)
        await watch.call('worst')
        await stage.profiled(busy, operation, () => load.call('perform'))
        await sleep(AFTER_MS)
        const [own = Number.NaN, other = Number.NaN] = await watch.call('worst')
        rollcall.push(own)
        baseline.push(other)
      }
      const target = { of: 'value', atMost: 100 } as const
      measures.push(measureOf({ name: operation, unit: 'ms', rollcall, baseline, target }))
    }
    return {
      measures,
      rounds,
      notes: [
        'Asked every 5 ms from a process of its own, over one connection to each node. Load and watcher share the machine with both nodes: what the idle one takes is theirs.',
      ],
    }
  },
}
