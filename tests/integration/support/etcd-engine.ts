/** The engine on a real etcd under test: nodes whose way to every member can be cut, and members that can be told to do anything. */
import { createEtcdEngine, type EtcdOptions } from '@rollcall/storage'
import { NO_LOGGER, type EnginePort } from '@rollcall/core'
import type { EtcdCluster } from '@rollcall/testkit'
import { Scene, type EngineHarness, type EngineTraits, type NodeUnderTest } from '#storage/engine-conformance'
import { openWay, type Way } from './freezing-proxy.js'

export const ETCD_TRAITS: EngineTraits = {
  kind: 'etcd',
  pageKeys: 2_500,
  holdMs: 3_000,
  ttlMs: 4_000,
  // A member may need a moment, and a busy machine many.
  lateMs: 10_000,
  deadlineMs: 20_000,
}

/** Fast enough for tests to wait for what goes wrong, and slow enough for a busy machine. */
const TIMING = {
  connectMs: 1_000,
  requestMs: 2_000,
  operationMs: 4_000,
  retryMs: 50,
  retryMsMax: 500,
  progressMs: 500,
  quietMs: 1_000,
  statusMs: 1_000,
}

/** Real time. */
export const REAL_CLOCK = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** An engine on these members. */
export function engineOn(endpoints: readonly string[], options: Partial<EtcdOptions> = {}): EnginePort {
  const deps = { clock: REAL_CLOCK, random: Math.random, logger: NO_LOGGER }
  return createEtcdEngine(deps, { endpoints, prefix: '/rollcall/', timing: TIMING, ...options })
}

let spaces = 0

/** Nodes below a prefix of their own, as if there were nothing else in the store. */
export async function openEtcd(cluster: EtcdCluster): Promise<EngineHarness> {
  spaces += 1
  const prefix = `/test-${spaces}/`
  const nodes: (NodeUnderTest & { readonly ways: readonly Way[] })[] = []
  return {
    clock: REAL_CLOCK,
    store: {
      stop: () => cluster.killAll(),
      start: () => cluster.startAll(),
      compact: () => compact(cluster),
      wipe: () => cluster.wipe(),
      async backup() {
        const backup = await cluster.backup()
        return () => cluster.restore(backup)
      },
      fill: async () =>
        void (await cluster.ask('/v3/maintenance/alarm', { action: 'ACTIVATE', alarm: 'NOSPACE' })),
      free: () => disarm(cluster),
    },
    async connect() {
      const ways = await Promise.all(cluster.members.map(({ port }) => openWay({ host: '127.0.0.1', port })))
      const engine = engineOn(
        ways.map(({ host, port }) => `http://${host}:${port}`),
        { prefix },
      )
      const each = (act: (way: Way) => void) => () => ways.forEach(act)
      const node = {
        engine,
        ways,
        line: {
          cut: each((way) => way.cut()),
          heal: each((way) => way.heal()),
          reset: each((way) => way.reset()),
          loseAnswers: each((way) => way.mute()),
          delay: (ms: number) => ways.forEach((way) => way.delay(ms)),
        },
      }
      nodes.push(node)
      return node
    },
    async close() {
      await Promise.all(nodes.map(({ engine }) => engine.close()))
      await Promise.all(nodes.flatMap(({ ways }) => ways.map((way) => way.close())))
    },
  }
}

/** Nodes on members of their own, which end with them. */
export async function sceneOn(cluster: EtcdCluster): Promise<Scene> {
  const harness = await openEtcd(cluster)
  const close = async (): Promise<void> => {
    await harness.close()
    await cluster.close()
  }
  return new Scene({ ...harness, close }, ETCD_TRAITS)
}

/** Forgets what was before the present revision. */
export async function compact(cluster: EtcdCluster): Promise<void> {
  const { header } = (await cluster.ask('/v3/kv/range', { key: 'AA==' })) as { header: { revision: string } }
  await cluster.ask('/v3/kv/compaction', { revision: header.revision, physical: true })
}

/** Ends every alarm. */
export async function disarm(cluster: EtcdCluster): Promise<void> {
  const { alarms = [] } = (await cluster.ask('/v3/maintenance/alarm', {})) as {
    alarms?: readonly { memberID?: string; alarm: string }[]
  }
  for (const alarm of alarms) await cluster.ask('/v3/maintenance/alarm', { action: 'DEACTIVATE', ...alarm })
}
