/** The engine on a real etcd that asks for certificates, or for a user, and on one that has run full. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnginePort } from '@rollcall/core'
import { startEtcd, type EtcdCertificates, type EtcdCluster } from '@rollcall/testkit'
import { expect, it } from 'vitest'
import { CHARTER, Follower, loadAll, outcomeOf, putRevision } from '#storage/engine-conformance'
import { createApi } from './http-calls.js'
import { isAble } from './support/abilities.js'
import { certificates, hasOpenssl } from './support/certificates.js'
import { form } from './support/chaos-form.js'
import { startCluster } from './support/cluster.js'
import { compact, disarm, engineOn, sceneOn } from './support/etcd-engine.js'
import { describeEtcd } from './support/guests/etcd.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const able = isAble('etcd with certificates', hasOpenssl() ? undefined : 'there is no openssl')

await describeEtcd(form(['debian'], ['debian', 'current']), (_version, program) => {
  /** Joins, writes, and holds what was written against what is read; then closes. */
  async function works(engine: EnginePort): Promise<string> {
    try {
      const outcome = await outcomeOf(engine.join(CHARTER))
      if (outcome !== 'done') return outcome
      const [known] = await engine.read(['a'])
      await putRevision(engine, 'a', `${known?.value ?? ''}x`, known?.revision ?? 0)
      const [stored] = await loadAll(engine)
      expect(stored?.value).toBe(`${known?.value ?? ''}x`)
      return outcome
    } finally {
      await engine.close()
    }
  }

  it.runIf(able)('shows its certificate, and believes only members of its authority', async () => {
    const own = await certificates('localhost', 'node')
    const other = await certificates('node')
    const files: EtcdCertificates = { ca: own.ca, ...own.of.localhost }
    await using cluster = await startEtcd({ program, tls: files })
    const at = (tls: Partial<EtcdCertificates>): EnginePort => engineOn(cluster.endpoints, tls)
    expect(await works(at({ ca: own.ca, ...own.of.node }))).toBe('done')
    expect(await works(at({ ca: own.ca }))).toBe('refused')
    expect(await works(at({ ca: own.ca, ...other.of.node }))).toBe('refused')
    expect(await works(at({ ca: other.ca, ...own.of.node }))).toBe('refused')
  })

  it.runIf(able)('lets whole nodes in by the files that they are told of', async () => {
    const own = await certificates('localhost', 'node')
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-access-'))
    const files = { ca: own.ca, ...own.of.node, 'password-file': 'pass\n' }
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const args = Object.keys(files).flatMap((name) => [`--etcd-${name}`, join(folder, name)])
    const cluster = await startCluster({
      program,
      nodes: 2,
      tls: { ca: own.ca, ...own.of.localhost },
      args: [...args, '--etcd-user', 'rollcall'],
      prepare: withUsers,
    })
    try {
      const [one, other] = cluster.nodes
      expect((await one!.cluster()).engine.endpoints[0]).toMatch(/^https:/)
      const instance = { service: 'orders', host: '127.0.0.1', port: one!.port, liveness: 'static' }
      const answer = await createApi(one!.server).post('/api/v1/register', { instances: [instance] })
      expect(answer.body).toMatchObject({ results: [{ ok: true, durability: 'replicated' }] })
      await expect.poll(async () => (await other!.view('orders')).instances).toHaveLength(1)
    } finally {
      await cluster.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('is the user that it is told to be', async () => {
    await using cluster = await startEtcd({ program })
    await withUsers(cluster)
    const as = (user?: string, password?: string): EnginePort =>
      engineOn(cluster.endpoints, { user, password })
    expect(await works(as('root', 'secret'))).toBe('done')
    expect(await works(as('rollcall', 'pass'))).toBe('done')
    expect(await works(as('rollcall', 'wrong'))).toBe('refused')
    expect(await works(as('stranger', 'pass'))).toBe('refused')
    expect(await works(as())).toBe('refused')
    // Its rights end where its prefix does.
    expect(
      await works(engineOn(cluster.endpoints, { user: 'rollcall', password: 'pass', prefix: '/other/' })),
    ).toBe('refused')
  })

  it('goes on when the members are restarted and know no token any more', async () => {
    const cluster = await startEtcd({ program })
    await withUsers(cluster)
    const engine = engineOn(cluster.endpoints, { user: 'rollcall', password: 'pass' })
    try {
      await engine.join(CHARTER)
      const revision = await putRevision(engine, 'a', '1')
      const follower = new Follower(engine, revision)
      await cluster.killAll()
      await cluster.startAll()
      await expect.poll(() => outcomeOf(putRevision(engine, 'b', '1'))).toBe('done')
      await expect.poll(() => follower.keys).toContain('b')
      expect(follower.failure).toBeUndefined()
      expect(follower.faults).toEqual([])
    } finally {
      await engine.close()
      await cluster.close()
    }
  })

  it('stops at the quota of the members, reads on, and writes on once there is room', async () => {
    const cluster = await startEtcd({ program, quotaBytes: 16 * 1_048_576 })
    await using scene = await sceneOn(cluster)
    const { engine } = await scene.node()
    const follower = await scene.follow(engine)
    const value = 'x'.repeat(500_000)
    let revision = 0
    let written = 0
    for (let outcome = 'done'; outcome === 'done'; written += 1) {
      const write = engine.write(CHARTER.epoch, [{ key: 'a', value, expected: revision }])
      outcome = await outcomeOf(write)
      if (outcome !== 'done') expect(outcome).toBe('full')
      else revision = (await engine.read(['a']))[0]?.revision ?? 0
    }
    expect(written).toBeGreaterThan(10)
    await scene.until('the alarm', () => engine.status().alarms.includes('NOSPACE'))
    // A write that is refused may have been done.
    expect((await engine.read(['a']))[0]?.revision).toBeGreaterThanOrEqual(revision)
    // As the documents tell operators.
    await compact(cluster)
    for (const member of cluster.members) await member.ask('/v3/maintenance/defragment', {})
    await disarm(cluster)
    await putRevision(engine, 'b', '1')
    await scene.until('the change', () => follower.keys.includes('b'))
    await scene.until('the end of the alarm', () => engine.status().alarms.length === 0)
    expect(scene.faults).toEqual([])
  })
})

/** A user who may do everything, and one who may use the keys of Rollcall only. */
async function withUsers(members: Pick<EtcdCluster, 'ask'>): Promise<void> {
  const say = (path: string, body: unknown): Promise<unknown> => members.ask(`/v3/auth/${path}`, body)
  await say('user/add', { name: 'root', password: 'secret' })
  await say('role/add', { name: 'root' })
  await say('user/grant', { user: 'root', role: 'root' })
  await say('user/add', { name: 'rollcall', password: 'pass' })
  await say('role/add', { name: 'rollcall' })
  const perm = { permType: 'READWRITE', key: base64('/rollcall/'), range_end: base64('/rollcall0') }
  await say('role/grant', { name: 'rollcall', perm })
  await say('user/grant', { user: 'rollcall', role: 'rollcall' })
  await say('enable', {})
}
