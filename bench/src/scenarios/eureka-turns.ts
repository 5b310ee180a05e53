/** How long a node with 100,000 instances lets its other clients wait while clients of Eureka fetch. */
import { setTimeout as sleep } from 'node:timers/promises'
import { measureOf, type Measure } from '../measure.js'
import type { LoopWatch } from '../programs/loop-watch.js'
import type { Stage } from '../scenario.js'
import type { ForeignNode } from './foreign.js'
import { answerOf, postJson } from './requests.js'

const SERVICES = 1_000
/** Half of the instances are of one application, the others of a thousand. */
const HALF = 50_000
const BATCH = 2_000
/** The feed is followed by then, or a list compressed. */
const AFTER_MS = 1_500

const JSON_WANTED = { accept: 'application/json' }
const ZIPPED = { ...JSON_WANTED, 'accept-encoding': 'gzip' }

function specOf(index: number): object {
  const isLarge = index < HALF
  return {
    service: isLarge ? 'large' : `small-${index % SERVICES}`,
    id: `i${index}`,
    host: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    port: 8_080,
    metadata: { version: '1.4.2', zone: `zone-${index % 3}` },
    liveness: 'static',
  }
}

async function registerAll(url: string, from: number, count: number): Promise<void> {
  for (let at = from; at < from + count; at += BATCH) {
    const instances = Array.from({ length: Math.min(BATCH, from + count - at) }, (_, each) =>
      specOf(at + each),
    )
    await postJson(url, '/api/v1/register', { instances })
  }
}

/** The longest time in which the node answered nothing else, for each thing that is asked of it. */
export async function turnsOf(stage: Stage, { server, port }: ForeignNode): Promise<readonly Measure[]> {
  const rounds = stage.options.long ? 5 : 3
  await registerAll(server.url, 0, 2 * HALF)
  const watch = stage.program<LoopWatch>('loop-watch')
  await watch.call('watch', [server.port])
  const fetched = (path: string, headers: Readonly<Record<string, string>>) => async (): Promise<void> => {
    await answerOf(port, path, { headers })
  }
  let next = 2 * HALF
  const operations: readonly (readonly [string, () => Promise<void>])[] = [
    ['full fetch', fetched('/eureka/apps', JSON_WANTED)],
    ['full fetch, gzip', fetched('/eureka/apps', ZIPPED)],
    ['full fetch, XML', fetched('/eureka/apps', {})],
    ['delta of all', fetched('/eureka/apps/delta', JSON_WANTED)],
    ['application of 50,000', fetched('/eureka/apps/LARGE', ZIPPED)],
    ['virtual address of 50,000', fetched('/eureka/vips/large', JSON_WANTED)],
    [
      '2,000 registrations, then a full fetch',
      async () => {
        await registerAll(server.url, next, BATCH)
        next += BATCH
        await answerOf(port, '/eureka/apps', { headers: ZIPPED })
      },
    ],
  ]
  const measures: Measure[] = []
  for (const [name, operation] of operations) {
    const worst: number[] = []
    for (let round = 0; round < rounds; round++) {
      await sleep(AFTER_MS)
      await watch.call('worst')
      await stage.profiled(server, name, operation)
      await sleep(AFTER_MS)
      worst.push(...(await watch.call('worst')))
    }
    const target = { of: 'value', atMost: 100 } as const
    measures.push(
      measureOf({ name: `100,000 instances: worst turn, ${name}`, unit: 'ms', rollcall: worst, target }),
    )
  }
  await watch.stop()
  return measures
}
