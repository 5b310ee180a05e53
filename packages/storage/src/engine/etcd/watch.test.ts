/** A watch on a scripted etcd: streams that break, fall silent, lie or go back, and what the watcher hears of it. */
import type { EngineError, EngineEvent } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { AuthenticateResponse, PATHS, RangeResponse } from './messages.js'
import {
  CHARTER_KEY,
  CHARTER_TEXT,
  headerOf,
  joinedScene,
  kv,
  pass,
  putEvent,
  type ScriptedScene,
  UNAVAILABLE,
} from './scripted-etcd.fixture.js'
import type { EtcdOptions } from './options.js'
import { RPC, RpcError } from './transport.js'

interface Following extends ScriptedScene {
  /** What the watcher heard: `a@101 = 101` is a change, `101` progress, `!epoch` the end. */
  readonly heard: string[]
  readonly close: () => void
}

const say = ({ kind, key, revision }: EngineEvent): string =>
  `${kind === 'put' ? key : `-${key}`}@${revision}`

/** Joined at revision 100, and following. */
async function following(
  options: Partial<EtcdOptions> = {},
  prepare?: (scene: ScriptedScene) => void,
  after = 100,
): Promise<Following> {
  const scene = await joinedScene(options)
  prepare?.(scene)
  const heard: string[] = []
  const watch = scene.engine.watch(after, {
    changed: (events, revision) => heard.push(`${events.map(say).join(' ')} = ${revision}`),
    progressed: (revision) => heard.push(`${revision}`),
    ended: (error: EngineError) => heard.push(`!${error.failure}`),
  })
  await pass(scene.clock, 0)
  return { ...scene, heard, close: () => watch.close() }
}

/** What the stream that was opened last began with. */
const begins = ({ etcd }: ScriptedScene): number | undefined =>
  etcd.last.watchRequests[0]?.create?.startRevision

describe('a watch', () => {
  it('begins behind what was loaded, for everything below the prefix, where a leader is known', async () => {
    const scene = await following()
    const { endpoint, call, watchRequests } = scene.etcd.last
    expect([endpoint, call.path, call.headers]).toEqual(['http://a:1', PATHS.watch, { hasleader: 'true' }])
    expect(watchRequests).toHaveLength(1)
    const { key, rangeEnd, ...rest } = watchRequests[0]?.create ?? { key: [], rangeEnd: [] }
    expect([key, rangeEnd].map(String)).toEqual(['/rollcall/shop/', '/rollcall/shop0'])
    expect(rest).toEqual({ startRevision: 101, progressNotify: true, fragment: true })
    scene.etcd.last.watch({ created: true })
    expect(scene.heard).toEqual(['100'])
  })

  it('tells whole revisions, without the charter as it was and without what is no text', async () => {
    const { etcd, heard } = await following()
    etcd.last.watch({
      events: [putEvent('a', 101), putEvent('b', 101), { type: 1, kv: kv('/rollcall/shop/a', '', 102) }],
    })
    etcd.last.watch({ events: [{ kv: kv(CHARTER_KEY, CHARTER_TEXT, 103) }] })
    etcd.last.watch({
      events: [
        { kv: { key: Buffer.from([...Buffer.from('/rollcall/shop/'), 0xff]), value: '', modRevision: 104 } },
      ],
    })
    expect(heard).toEqual(['a@101 b@101 -a@102 = 102', '103', '104'])
  })

  it('joins the fragments of a revision, and tells what is whole before the rest is there', async () => {
    const { etcd, heard } = await following()
    etcd.last.watch({ fragment: true, events: [putEvent('a', 101), putEvent('b', 102)] })
    etcd.last.watch({ fragment: true, events: [putEvent('c', 102)] })
    expect(heard).toEqual(['a@101 = 101', '101'])
    etcd.last.watch({ events: [putEvent('d', 102), putEvent('e', 103)] })
    expect(heard.at(-1)).toBe('b@102 c@102 d@102 e@103 = 103')
  })

  it('goes on behind what was told when a stream breaks, at another member, and repeats nothing', async () => {
    const scene = await following()
    const { etcd, heard, clock } = scene
    etcd.last.watch({ events: [putEvent('a', 101)] })
    etcd.last.watch({ fragment: true, events: [putEvent('b', 102)] })
    etcd.revision = 110
    etcd.last.end(UNAVAILABLE)
    await pass(clock, 200)
    expect([etcd.last.endpoint, begins(scene)]).toEqual(['http://b:1', 102])
    etcd.last.watch({ created: true })
    etcd.last.watch({ events: [putEvent('a', 101), putEvent('b', 102), putEvent('c', 102)] })
    expect(heard).toEqual(['a@101 = 101', '101', '101', 'b@102 c@102 = 102'])
  })

  it('waits longer and longer between streams that break, and begins again when one lives', async () => {
    const { etcd, clock } = await following()
    const opened: number[] = []
    for (let turn = 0; turn < 8; turn += 1) {
      opened.push(clock.now() - 1_000)
      const { length } = etcd.streams
      etcd.last.end(UNAVAILABLE)
      while (etcd.streams.length === length) await pass(clock, 10)
    }
    const waits = opened.slice(1).map((moment, at) => moment - (opened[at] as number))
    expect(waits[0]).toBeLessThanOrEqual(100)
    expect(waits.at(-1)).toBeGreaterThan(900)
    expect(Math.max(...waits)).toBeLessThanOrEqual(2_000)
    etcd.last.watch({ created: true })
    const { length } = etcd.streams
    etcd.last.end(UNAVAILABLE)
    await pass(clock, 110)
    expect(etcd.streams.length).toBe(length + 1)
  })

  it('asks for progress, and gives up a stream and its connection when nothing comes', async () => {
    const scene = await following()
    const { etcd, heard, clock } = scene
    const first = etcd.last
    first.watch({ created: true })
    await pass(clock, 3_100)
    expect(first.watchRequests.map(({ progress }) => progress !== undefined)).toEqual([false, true])
    etcd.revision = 120
    first.watch({ header: headerOf(120), watchId: -1 })
    expect(heard).toEqual(['100', '120'])
    await pass(clock, 13_000)
    expect(first.closed).toBe(true)
    expect(etcd.dropped).toEqual(['http://a:1'])
    expect([etcd.last.endpoint, begins(scene)]).toEqual(['http://b:1', 121])
  })

  it('keeps a stream on which nothing happens as long as it is answered', async () => {
    const { etcd, clock, heard } = await following()
    const { last } = etcd
    for (let ms = 0; ms < 60_000; ms += 1_000) {
      const asked = last.sent.length
      await pass(clock, 1_000)
      if (last.sent.length > asked) last.watch({ watchId: -1 })
    }
    expect(etcd.streams).toEqual([last])
    expect(last.closed).toBe(false)
    expect(heard.length).toBeGreaterThanOrEqual(19)
  })

  it('believes a member that answers out of order only that it lives', async () => {
    const scene = await following({}, ({ etcd }) => (etcd.version = '3.4.23'))
    const { etcd, heard, clock } = scene
    etcd.last.watch({ header: headerOf(120), watchId: -1 })
    expect(heard).toEqual(['100'])
    // What it tells by itself is in order with the events of the watch.
    etcd.last.watch({ header: headerOf(115), watchId: 0 })
    expect(heard).toEqual(['100', '115'])
    etcd.last.end(UNAVAILABLE)
    etcd.revision = 130
    await pass(clock, 200)
    expect(begins(scene)).toBe(116)
  })

  it('ends when history is compacted', async () => {
    const { etcd, heard, clock } = await following()
    etcd.last.watch({ canceled: true, compactRevision: 500 })
    await pass(clock, 5_000)
    expect(heard).toEqual(['!compacted'])
    expect(etcd.streams).toHaveLength(1)
  })

  it('ends when the charter is changed or deleted, and tells what was before', async () => {
    for (const event of [
      { type: 1, kv: kv(CHARTER_KEY, '', 103) },
      { type: 0, kv: kv(CHARTER_KEY, '{}', 103) },
    ]) {
      const { etcd, heard, clock } = await following()
      etcd.last.watch({ events: [putEvent('a', 102), event, putEvent('b', 103), putEvent('c', 104)] })
      await pass(clock, 1_000)
      expect(heard).toEqual(['a@102 = 102', '!epoch'])
    }
  })

  it('ends when what it comes back to is another history', async () => {
    const cases: ((scene: ScriptedScene) => void)[] = [
      ({ etcd }) => (etcd.revision = 90),
      ({ etcd }) => (etcd.charter = '{}'),
      ({ etcd }) => (etcd.charter = undefined),
      ({ etcd }) => {
        etcd.script = ({ path }) =>
          path === PATHS.range
            ? RangeResponse.encode({ header: headerOf(300, 2n), kvs: [kv(CHARTER_KEY, CHARTER_TEXT, 2)] })
            : undefined
      },
    ]
    for (const change of cases) {
      const scene = await following()
      change(scene)
      scene.etcd.last.end(UNAVAILABLE)
      await pass(scene.clock, 500)
      expect(scene.heard).toEqual(['!epoch'])
    }
  })

  it('does not wait for a revision that is not there yet', async () => {
    const { etcd, heard } = await following({}, undefined, 200)
    expect(heard).toEqual(['!epoch'])
    expect(etcd.streams).toEqual([])
  })

  it('does not believe a stream that goes back, or one of another cluster', async () => {
    const { etcd, heard, clock } = await following()
    etcd.last.watch({ events: [putEvent('a', 105), putEvent('b', 104)] })
    await pass(clock, 200)
    expect(heard).toEqual([])
    expect(etcd.streams).toHaveLength(2)
    etcd.last.watch({ header: headerOf(100, 2n), created: true })
    await pass(clock, 200)
    expect(heard).toEqual(['!epoch'])
  })

  it('goes on when it is cancelled for another reason, or an answer is no message', async () => {
    const { etcd, heard, clock } = await following()
    etcd.last.watch({ canceled: true, cancelReason: 'etcdserver: something new' })
    await pass(clock, 200)
    etcd.last.tell(Buffer.from('ffff', 'hex'))
    await pass(clock, 300)
    expect(etcd.streams).toHaveLength(3)
    expect(heard).toEqual([])
  })

  it('hears nothing after it was closed, and nothing of it is left when the engine is', async () => {
    const { etcd, heard, clock, close, engine } = await following()
    const { last } = etcd
    close()
    last.watch({ events: [putEvent('a', 101)] })
    await pass(clock, 20_000)
    expect(heard).toEqual([])
    expect(last.closed).toBe(true)
    await engine.close()
    expect(clock.timers).toEqual([])
  })
})

describe('the token of a watch', () => {
  const user = { user: 'registry', password: 'secret' }
  const token = (name: string): Uint8Array => AuthenticateResponse.encode({ token: name })

  it('is renewed when it is refused, and the watch goes on', async () => {
    let tokens = 0
    const scene = await following(user, ({ etcd }) => {
      etcd.script = ({ path, headers }) => {
        if (path === PATHS.authenticate) return token(`t${(tokens += 1)}`)
        // The one of the join has run out by now.
        if (path === PATHS.range && headers['token'] === 't0')
          return new RpcError(RPC.unauthenticated, 'etcdserver: invalid auth token')
        return undefined
      }
    })
    expect(scene.etcd.last.call.headers['token']).toBe('t1')
    scene.etcd.last.watch({
      canceled: true,
      created: true,
      watchId: -1,
      cancelReason: 'etcdserver: permission denied',
    })
    await pass(scene.clock, 300)
    expect(scene.etcd.last.call.headers['token']).toBe('t2')
    scene.etcd.last.watch({ created: true })
    expect(scene.heard).toEqual(['100'])
  })

  it('is given up when a new one is refused too', async () => {
    const scene = await following()
    scene.etcd.last.watch({
      canceled: true,
      created: true,
      watchId: -1,
      cancelReason: 'etcdserver: permission denied',
    })
    await pass(scene.clock, 300)
    scene.etcd.last.watch({
      canceled: true,
      created: true,
      watchId: -1,
      cancelReason: 'etcdserver: permission denied',
    })
    await pass(scene.clock, 300)
    expect(scene.heard).toEqual(['!refused'])
  })
})
