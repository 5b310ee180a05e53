/**
 * Three nodes on etcd are rolled to a later release and back again while their clients go on: records keep what only the later
 * release knows, whichever release writes them, and each release reads the journals that it can read and refuses the others.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { counted, form, inProof, measured } from './support/chaos-form.js'
import type { ClusterNodeProcess } from './support/cluster.js'
import { allAgree, closeScene, openScene, wrongs, type Scene } from './support/cluster-scene.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { LATER_FORMAT, LATER_MEMBERS, LATER_VERSION, makeLaterRelease } from './support/later-release.js'
import { until } from './support/processes.js'

/** How long two releases are watched for writing the same records over and over. */
const QUIET_MS = form(4_000, 15_000)

const { owner, origin } = LATER_MEMBERS

interface Stored {
  readonly revision: string
  readonly record: {
    readonly owner?: unknown
    readonly content: { readonly origin?: unknown; readonly metadata?: unknown; readonly intent: string }
    readonly verdict: { readonly surely?: unknown }
    readonly override?: { readonly value: unknown }
  }
}

/** A record as etcd holds it; undefined where it holds none. */
async function stored({ cluster }: Scene, id: string): Promise<Stored | undefined> {
  const key = Buffer.from(`/rollcall/records/default/guests/default/${id}`).toString('base64')
  const { kvs = [] } = (await cluster.etcd.ask('/v3/kv/range', { key })) as {
    kvs?: readonly { readonly value: string; readonly mod_revision: string }[]
  }
  const [kv] = kvs
  if (kv === undefined) return undefined
  const record = JSON.parse(Buffer.from(kv.value, 'base64').toString()) as Stored['record']
  return { revision: kv.mod_revision, record }
}

/** Waits until etcd holds a record that passes. */
async function holds(all: Scene, id: string, passes: (record: Stored['record']) => boolean): Promise<Stored> {
  let last: Stored | undefined
  await until(async () => {
    last = await stored(all, id)
    return last !== undefined && passes(last.record)
  }, `etcd holds ${id} as it should be`).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`)
  })
  return last!
}

async function send(node: ClusterNodeProcess, method: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${node.url}/api/v1/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const said = await answer.text()
  expect([answer.status, said]).toEqual([200, said])
}

const guest = (id: string, metadata: Readonly<Record<string, string>> = {}): object => ({
  ...{ service: 'guests', id, host: '127.0.0.1', port: 9, metadata },
  ...{ probe: { type: 'none' }, leaseMs: 3_600_000 },
})

const isListed = async (all: Scene, id: string): Promise<boolean> =>
  (await Promise.all(all.cluster.nodes.map((node) => node.view('guests')))).every(({ instances }) =>
    instances.some((each) => each.id === id),
  )

/** The versions of all nodes, as one of them knows them, by their names. */
async function versions({ cluster }: Scene): Promise<readonly string[]> {
  const { nodes } = await cluster.nodes[0]!.cluster()
  return nodes.toSorted((a, b) => String(a.name).localeCompare(String(b.name))).map(({ version }) => version)
}

it('a later release can be made of this one', () => {
  const { folder, command } = makeLaterRelease()
  try {
    expect(execFileSync(process.execPath, [command, '--version'], { encoding: 'utf8' })).toContain(
      LATER_VERSION,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

const runs = inProof('rolling upgrade of nodes')

describe.runIf(runs)('three nodes, rolled', () => {
  const later = runs ? makeLaterRelease() : undefined
  const program = later?.command
  let all: Scene

  afterAll(async () => {
    if (all !== undefined) await closeScene(all)
    if (later !== undefined) rmSync(later.folder, { recursive: true, force: true })
  }, 60_000)

  it(
    'to a later release: nothing is lost, what only that one knows is kept, no instance is doubted, no call fails',
    async (context) => {
      all = await openScene(await findEtcd(context, 'debian'))
      const { nodes } = all.cluster
      const [first, second, third] = nodes as readonly [
        ClusterNodeProcess,
        ClusterNodeProcess,
        ClusterNodeProcess,
      ]
      const [thisVersion] = await versions(all)
      await send(first, 'POST', 'register', { instances: [guest('before')] })
      const took: number[] = []
      const roll = async (node: ClusterNodeProcess): Promise<void> => {
        const began = performance.now()
        await node.stop()
        await node.start({ program })
        await all.cluster.ready(60_000)
        took.push(performance.now() - began)
      }

      await roll(third)
      expect(await versions(all)).toEqual([thisVersion, thisVersion, LATER_VERSION])
      await send(third, 'POST', 'register', { instances: [guest('kept'), guest('moved'), guest('left')] })
      const fresh = await holds(all, 'kept', (record) => record.owner === owner)
      expect(fresh.record).toMatchObject({ content: { origin } })
      await until(() => isListed(all, 'left'), 'all list what the later release took')

      // Nodes of this release write what the other one made: an operator's word, other content, a new judge, a removal.
      const by = { by: 'ops', why: 'test' }
      await send(first, 'PUT', 'overrides', {
        instances: [{ service: 'guests', id: 'kept' }],
        drain: true,
        ...by,
      })
      await send(second, 'POST', 'register', { instances: [guest('moved', { to: 'second' })] })
      await send(first, 'POST', 'deregister', { instances: [{ service: 'guests', id: 'left' }] })
      const drained = await holds(all, 'kept', ({ override }) => override !== undefined)
      expect(drained.record).toMatchObject({ owner, content: { origin } })
      const moved = await holds(
        all,
        'moved',
        ({ content }) => JSON.stringify(content.metadata) === '{"to":"second"}',
      )
      expect(moved.record).toMatchObject({ owner })
      const left = await holds(all, 'left', ({ content }) => content.intent === 'gone')
      expect(left.record).toMatchObject({ owner, content: { last: { origin } } })

      // The journal of this release cannot hold what it does not know: a node that begins with it takes it from etcd again.
      await second.kill()
      await second.start()
      await all.cluster.ready(60_000)
      const kept = await holds(all, 'kept', (record) => record.override !== undefined)
      expect(kept.record).toMatchObject({ owner, content: { origin } })
      await pause(QUIET_MS)
      for (const id of ['kept', 'moved', 'left']) {
        const now = await stored(all, id)
        await pause(QUIET_MS / 4)
        expect((await stored(all, id))?.revision).toBe(now?.revision)
        expect(now?.record).toMatchObject({ owner })
      }

      await roll(second)
      await roll(first)
      expect(await versions(all)).toEqual([LATER_VERSION, LATER_VERSION, LATER_VERSION])
      measured('rolling upgrade: a node stopped, started as the later release and known to all', took)
      await allAgree(all.cluster)
      expect(await isListed(all, 'before')).toBe(true)
      expect(await wrongs(all)).toEqual([])
    },
    ETCD_MS_MAX,
  )

  it(
    'and back: the newer journal is refused by name, and a node that begins with nothing has all again from etcd',
    async () => {
      const took: number[] = []
      await send(all.cluster.nodes[0]!, 'POST', 'register', { instances: [guest('late')] })
      const { record } = await holds(all, 'late', (each) => each.owner === owner)
      expect(record.verdict).toHaveProperty('value', 'up')
      for (const node of all.cluster.nodes) {
        const began = performance.now()
        await node.stop()
        await expect(node.start()).rejects.toThrow(
          new RegExp(
            `\\.(log|snap).*format version ${LATER_FORMAT} and this Rollcall reads 1 to ${LATER_FORMAT - 1}`,
          ),
        )
        node.putJournalAway()
        await node.start()
        await all.cluster.ready(60_000)
        took.push(performance.now() - began)
        await send(node, 'POST', 'register', { instances: [guest('late', { at: node.name })] })
        await holds(
          all,
          'late',
          ({ content }) => JSON.stringify(content.metadata) === `{"at":"${node.name}"}`,
        )
      }
      measured(
        'rolling downgrade: a node stopped, refused, started without its journal and known to all',
        took,
      )
      await allAgree(all.cluster)
      for (const id of ['before', 'kept', 'moved', 'late']) expect(await isListed(all, id)).toBe(true)
      expect(await isListed(all, 'left')).toBe(false)
      for (const id of ['kept', 'moved', 'late'])
        expect((await stored(all, id))?.record).toMatchObject({ owner })
      expect((await stored(all, 'kept'))?.record).toMatchObject({ content: { origin } })
      expect(await wrongs(all)).toEqual([])
      const calls = [...all.load.answers.values()].reduce((sum, answers) => sum + answers, 0)
      counted('calls of a consumer during both', { calls, failed: all.load.failures.length })
    },
    ETCD_MS_MAX,
  )
})
