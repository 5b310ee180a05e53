/** The key of a node on a scripted etcd: kept, lost in every way, made anew, let go. */
import type { EngineError } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { LeaseRequest, LeaseResponse, PATHS, TxnRequest, TxnResponse } from './messages.js'
import { headerOf, joinedScene, pass, type ScriptedScene, UNAVAILABLE } from './scripted-etcd.fixture.js'
import { RPC, RpcError } from './transport.js'

const TTL_MS = 10_000

interface Holding extends ScriptedScene {
  readonly heard: string[]
  readonly close: () => void
}

/** Puts the key there; of each lease the first, the second, … */
async function holding(): Promise<Holding> {
  const scene = await joinedScene()
  const heard: string[] = []
  const held = scene.engine.hold(
    { key: 'nodes/n1', value: 'me', ttlMs: TTL_MS },
    { kept: () => heard.push('kept'), lost: (error: EngineError) => heard.push(error.failure) },
  )
  await pass(scene.clock, 0)
  return { ...scene, heard, close: () => held.close() }
}

const puts = ({ etcd }: ScriptedScene): number => etcd.calls.filter(({ path }) => path === PATHS.txn).length

describe('a held key', () => {
  it('is put under a lease, if the charter stands, and kept at least three times per life', async () => {
    const scene = await holding()
    const { etcd, heard, clock } = scene
    const [txn] = etcd.txns()
    expect(txn?.compare).toMatchObject([{ key: '/rollcall/shop/charter' }])
    expect(txn?.success[0]?.put).toEqual({ key: '/rollcall/shop/nodes/n1', value: 'me', lease: 7n })
    expect(etcd.last.call).toMatchObject({ path: PATHS.keepAlive, headers: { hasleader: 'true' } })
    heard.length = 0
    for (let ms = 0; ms < TTL_MS; ms += 100) {
      await pass(clock, 100)
      const { last } = etcd
      if (last.sent.length > heard.length) last.lease(10)
    }
    expect(heard.length).toBeGreaterThanOrEqual(5)
    expect(new Set(heard)).toEqual(new Set(['kept']))
    expect(LeaseRequest.decode(etcd.last.sent[0] as Uint8Array)).toEqual({ id: 7n })
    expect(etcd.streams).toHaveLength(1)
  })

  it('is lost when nothing confirms it for its time, counted from when the question left; once', async () => {
    const { etcd, heard, clock } = await holding()
    etcd.last.lease(10)
    etcd.script = () => 'silence'
    expect(heard).toEqual(['kept', 'kept'])
    await pass(clock, TTL_MS - 100)
    expect(heard).toHaveLength(2)
    await pass(clock, 200)
    expect(heard.slice(2)).toEqual(['unavailable'])
    await pass(clock, 5 * TTL_MS)
    expect(heard.slice(2)).toEqual(['unavailable'])
  })

  it('is asked for elsewhere when a member does not answer, long before it is over', async () => {
    const { etcd, heard, clock } = await holding()
    etcd.last.lease(10)
    await pass(clock, TTL_MS / 2 + 1_500)
    // Calls that wait there are not given up with it.
    expect(etcd.dropped).toEqual([])
    expect(etcd.last.endpoint).toBe('http://b:1')
    etcd.last.lease(10)
    expect(heard).toEqual(['kept', 'kept', 'kept'])
  })

  it('goes on over another stream when one breaks', async () => {
    const { etcd, heard, clock } = await holding()
    etcd.last.end(UNAVAILABLE)
    await pass(clock, 200)
    expect([etcd.streams.length, etcd.last.endpoint]).toEqual([2, 'http://b:1'])
    etcd.last.lease(10)
    expect(heard).toEqual(['kept', 'kept'])
  })

  it('is not kept by an answer that is read when its time is over, because this node stood still', async () => {
    const { etcd, heard, clock } = await holding()
    etcd.last.lease(10)
    await pass(clock, 2_500)
    const stood = clock.now() + 3 * TTL_MS
    clock.now = () => stood
    etcd.last.lease(10)
    expect(heard).toEqual(['kept', 'kept'])
  })

  it('is made anew when the lease is gone', async () => {
    const scene = await holding()
    const { etcd, heard, clock } = scene
    etcd.last.lease(0)
    await pass(clock, 200)
    expect(heard).toEqual(['kept', 'unavailable', 'kept'])
    expect(puts(scene)).toBe(2)
    expect(etcd.streams).toHaveLength(2)
  })

  it('says why it is not there, and tries on', async () => {
    const scene = await joinedScene()
    const { etcd, clock } = scene
    const heard: string[] = []
    etcd.script = ({ path }) => {
      if (path === PATHS.grant) return heard.length === 0 ? UNAVAILABLE : undefined
      if (path !== PATHS.txn) return undefined
      return heard.length > 1 ? undefined : TxnResponse.encode({ header: headerOf(100), succeeded: false })
    }
    scene.engine.hold(
      { key: 'nodes/n1', value: 'me', ttlMs: TTL_MS },
      { kept: () => heard.push('kept'), lost: (error) => heard.push(error.failure) },
    )
    await pass(clock, 20_000)
    expect(heard.slice(0, 3)).toEqual(['unavailable', 'epoch', 'kept'])
  })

  it('is put there again when something deletes it, and not when an earlier life of it ends', async () => {
    const scene = await holding()
    const { etcd, engine, clock } = scene
    etcd.last.lease(10)
    const { length } = etcd.streams
    engine.watch(100, { changed() {}, progressed() {}, ended() {} })
    await pass(clock, 0)
    const watch = etcd.streams[length]
    const gone = (modRevision: number): Parameters<NonNullable<typeof watch>['watch']>[0] => ({
      events: [{ type: 1, kv: { key: Buffer.from('/rollcall/shop/nodes/n1'), value: '', modRevision } }],
    })
    etcd.revision = 120
    watch?.watch(gone(101))
    await pass(clock, 0)
    expect(puts(scene)).toBe(2)
    watch?.watch(gone(110))
    await pass(clock, 0)
    expect(puts(scene)).toBe(2)
  })

  it('is let go when it is closed, and by a close of the engine, which waits for that, but not for long', async () => {
    const { etcd, heard, clock, close, engine } = await holding()
    etcd.script = ({ path, message }) =>
      path === PATHS.revoke ? LeaseResponse.encode({ id: LeaseRequest.decode(message).id }) : undefined
    close()
    await pass(clock, 0)
    expect(etcd.calls.at(-1)).toMatchObject({ path: PATHS.revoke })
    expect(etcd.last.closed).toBe(true)

    etcd.script = ({ path }) => (path === PATHS.revoke ? 'silence' : undefined)
    engine.hold({ key: 'nodes/n1', value: 'me', ttlMs: TTL_MS }, { kept() {}, lost() {} })
    await pass(clock, 0)
    const closed = engine.close()
    await pass(clock, 1_100)
    await closed
    expect(heard).toEqual(['kept'])
    expect(clock.timers).toEqual([])
  })

  it('whose lease comes after the close is let go too', async () => {
    const { etcd, engine, clock } = await joinedScene()
    let grant: ((bytes: Uint8Array) => void) | undefined
    const unary = etcd.unary.bind(etcd)
    etcd.unary = (endpoint, call) =>
      call.path === PATHS.grant ? new Promise((resolve) => (grant = resolve)) : unary(endpoint, call)
    const held = engine.hold({ key: 'nodes/n1', value: 'me', ttlMs: TTL_MS }, { kept() {}, lost() {} })
    await pass(clock, 0)
    held.close()
    grant?.(LeaseResponse.encode({ header: headerOf(100), id: 8n, ttlSeconds: 10 }))
    await pass(clock, 0)
    expect(etcd.calls.map(({ path }) => path)).toEqual([PATHS.revoke])
  })

  it('hears of a token that ran out, and renews it', async () => {
    const { etcd, clock } = await holding()
    etcd.last.end(new RpcError(RPC.unauthenticated, 'etcdserver: invalid auth token'))
    await pass(clock, 200)
    expect(etcd.streams).toHaveLength(2)
    expect(TxnRequest.decode(etcd.calls.at(-1)?.message ?? new Uint8Array())).toBeDefined()
  })
})
