/** How long a change at one node takes to the subscribers of the others, while many changes are made. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { counted, form, measured } from './support/chaos-form.js'
import { startCluster } from './support/cluster.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { endAll, start, until } from './support/processes.js'
import { openStream } from './subscribers.js'

const SERVICES = form(6, 60)
const PER_SERVICE = form(5, 50)
const SUBSCRIBERS = form(12, 300)
const WATCHED = form(2, 5)
const TICK_MS = 20
const PER_TICK = form(1, 10)
const CHANGING_MS = form(2_000, 30_000)
/** What the issue promises for the long form. The short one runs beside other tests, and only must not hang. */
const P99_MS = form(5_000, 500)

afterEach(endAll)

it(
  'reaches the subscribers of the other nodes',
  async (context) => {
    const cluster = await startCluster({ program: await findEtcd(context, 'debian') })
    try {
      const [first, ...others] = cluster.nodes
      if (first === undefined) throw new Error('no node')
      const revs = Array.from({ length: SERVICES * PER_SERVICE }, () => 0)
      const changed = (number: number): object => ({
        service: `service-${number % SERVICES}`,
        id: `instance-${number}`,
        host: '127.0.0.1',
        port: 9,
        probe: { type: 'none' },
        incarnation: 1,
        rev: (revs[number] = (revs[number] ?? 0) + 1),
        metadata: { at: String(Date.now()) },
      })
      const maker = await openStream(first)
      const register = (numbers: readonly number[]): Promise<unknown> =>
        maker.ask({ type: 'register', instances: numbers.map(changed) } as Parameters<typeof maker.ask>[0])
      for (let at = 0; at < revs.length; at += 100)
        await register(revs.slice(at, at + 100).map((_, index) => at + index))
      await until(async () => {
        const views = await Promise.all(others.map((node) => node.view(`service-${SERVICES - 1}`)))
        return views.every(({ instances }) => instances.length === PER_SERVICE)
      }, 'all are known everywhere')
      const audience = await start(
        'audience-child.mjs',
        JSON.stringify({
          ports: others.map(({ port }) => port),
          subscribers: SUBSCRIBERS,
          services: SERVICES,
          watched: WATCHED,
        }),
      )
      const answers: Promise<unknown>[] = []
      const beganAt = performance.now()
      let made = 0
      while (performance.now() - beganAt < CHANGING_MS) {
        const numbers = Array.from({ length: PER_TICK }, () => made++ % revs.length)
        answers.push(register(numbers))
        await pause(Math.max(0, beganAt + (made / PER_TICK) * TICK_MS - performance.now()))
      }
      const rate = Math.round(made / ((performance.now() - beganAt) / 1_000))
      await Promise.all(answers)
      await pause(1_000)
      const told = once(audience.process, 'message')
      audience.process.send('tell')
      const [{ samples, messages }] = (await told) as [{ samples: number[]; messages: number }]
      const { p99, count } = measured('a change at one node: at a subscriber of another', samples)
      counted('changes made, their rate, and deltas that subscribers got', {
        made,
        perSecond: rate,
        messages,
      })
      expect(count).toBeGreaterThan(made)
      expect(p99).toBeLessThanOrEqual(P99_MS)
    } finally {
      await cluster.close()
    }
  },
  ETCD_MS_MAX,
)
