/** How fast one node publishes what it takes, beside what the engine takes of the same entries without a node. */
import { randomUUID } from 'node:crypto'
import { type EngineEntry, type EnginePort, ENGINE_FORMAT, ENGINE_LIMITS } from '@rollcall/core'
import { createEtcdEngine } from '@rollcall/storage'
import type { ClientMessage } from '@rollcall/wire'
import { afterEach, expect, it } from 'vitest'
import { counted, form } from './support/chaos-form.js'
import { startCluster, type TestCluster } from './support/cluster.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { endAll, until } from './support/processes.js'
import { openStream } from './subscribers.js'

const INSTANCES = form(2_000, 40_000)
const PER_MESSAGE = 1_000
const SERVICES = form(20, 400)
/** Batches under way at a time, as a node has. */
const AT_A_TIME = 4

afterEach(endAll)

const instanceOf = (number: number): object => ({
  service: `service-${String(number % SERVICES).padStart(4, '0')}`,
  id: `instance-${String(number).padStart(8, '0')}`,
  host: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
  port: 8_080,
  zone: `zone-${number % 3}`,
  metadata: { version: '1.4.2', commit: String(number).padStart(8, '0') },
  incarnation: 1_700_000_000_000 + number,
  rev: 1,
  probe: { type: 'none' },
})

/** An engine of this process on the members of a cluster, with keys of its own below another prefix. */
function engineOn({ etcd }: TestCluster, prefix: string): EnginePort {
  const silent = (): void => {}
  const logger = { debug: silent, info: silent, warn: silent, error: silent, child: () => logger }
  const clock = {
    now: () => performance.now(),
    wallNow: () => Date.now(),
    setTimer(ms: number, run: () => void) {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
  }
  return createEtcdEngine({ clock, random: Math.random, logger }, { endpoints: etcd.endpoints, prefix })
}

it(
  'a node publishes in batches, about as fast as its engine takes them',
  async (context) => {
    const cluster = await startCluster({ program: await findEtcd(context, 'debian') })
    const engines: EnginePort[] = []
    try {
      const [first, ...others] = cluster.nodes
      if (first === undefined) throw new Error('no node')
      const maker = await openStream(first)
      const messages = Array.from({ length: INSTANCES / PER_MESSAGE }, (_, at) => ({
        type: 'register',
        instances: Array.from({ length: PER_MESSAGE }, (_each, index) =>
          instanceOf(at * PER_MESSAGE + index),
        ),
      })) as unknown as readonly ClientMessage[]
      const writesBefore = await first.figure('rollcall_engine_operations_total{kind="write"}')
      const began = performance.now()
      const answers = messages.map((message) => maker.ask(message))
      await Promise.all(answers)
      const accepted = performance.now()
      await until(
        async () => (await first.figure('rollcall_unpublished_records')) === 0,
        'all is published',
        120_000,
      )
      const published = performance.now()
      await until(
        async () => {
          const known = await Promise.all(others.map((node) => node.figure('rollcall_instances{')))
          return known.every((count) => count === INSTANCES)
        },
        'the other nodes have all',
        120_000,
      )
      const known = performance.now()
      const writes = (await first.figure('rollcall_engine_operations_total{kind="write"}')) - writesBefore
      maker.drop()

      // The same entries without a node: read from the cluster's own keys, written below another prefix.
      const reader = engineOn(cluster, '/rollcall/')
      engines.push(reader)
      await reader.join(offer())
      const entries: EngineEntry[] = []
      await reader.load((page) => void entries.push(...page))
      const writer = engineOn(cluster, '/alone/')
      engines.push(writer)
      const charter = await writer.join({ ...offer(), epoch: randomUUID().slice(0, 16) })
      const batches: EngineEntry[][] = []
      for (let at = 0; at < entries.length; at += ENGINE_LIMITS.writesMax)
        batches.push(entries.slice(at, at + ENGINE_LIMITS.writesMax))
      const aloneAt = performance.now()
      await Promise.all(
        Array.from({ length: AT_A_TIME }, async () => {
          for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
            const done = await writer.write(
              charter.epoch,
              batch.map(({ key, value }) => ({ key, value, expected: 0 })),
            )
            expect(done.every(({ ok }) => ok)).toBe(true)
          }
        }),
      )
      const alone = performance.now() - aloneAt
      const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1_000)
      counted(`${INSTANCES} registrations at one node, 1,000 per message: instances per second`, {
        accepted: perSecond(INSTANCES, accepted - began),
        published: perSecond(INSTANCES, published - began),
        knownElsewhere: perSecond(INSTANCES, known - began),
        engineAlone: perSecond(entries.length, alone),
      })
      counted('entries in the engine for them, their batches, and entries of them per batch', {
        entries: entries.length,
        batches: writes,
        perBatch: Math.round(entries.length / writes),
      })
      expect(entries.length).toBeGreaterThanOrEqual(INSTANCES)
      // Batched, and not one by one.
      expect(writes).toBeLessThan(entries.length / form(4, 32))
    } finally {
      await Promise.all(engines.map((engine) => engine.close()))
      await cluster.close()
    }
  },
  ETCD_MS_MAX,
)

const offer = (): Parameters<EnginePort['join']>[0] => ({
  cluster: 'test',
  format: ENGINE_FORMAT,
  epoch: randomUUID().slice(0, 16),
  secret: randomUUID(),
})
