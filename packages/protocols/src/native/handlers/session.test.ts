/** A stream session by its messages alone, over a transport in memory. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Scene, SIGN, update } from './session.fixture.js'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('hello', () => {
  it('opens the session of the core and is welcomed', () => {
    scene.hello()
    expect(scene.calls).toEqual(['open 10.0.0.9'])
    expect(scene.sent).toEqual([
      {
        type: 'welcome',
        req: 1,
        node: 'n1',
        cluster: 'c',
        version: '0.0.0',
        pingMs: 3_000,
        frameBytesMax: 1_048_576,
        batchItemsMax: 10_000,
        island: true,
      },
    ])
    scene.clock.advance(60_000)
    expect(scene.closed).toBeUndefined()
  })

  it('must come within five seconds', () => {
    scene.clock.advance(4_999)
    expect(scene.closed).toBeUndefined()
    scene.clock.advance(1)
    expect(scene.closed?.[0]).toBe(4400)
    expect(scene.sent).toMatchObject([{ type: 'error', error: { code: 'protocol' } }])
    expect(scene.calls).toEqual([])
  })

  it('must come first and be readable', () => {
    for (const message of [
      { type: 'ping' },
      { type: 'hello', namespace: 1 },
      [],
      null,
      'hello',
      {},
      { type: 1 },
    ]) {
      const fresh = new Scene()
      fresh.session.receive(message)
      expect(fresh.closed?.[0]).toBe(4400)
      fresh.session.receive({ type: 'hello' })
      expect(fresh.calls).toEqual([])
    }
  })
})

describe('an open session', () => {
  beforeEach(() => {
    scene.hello()
    scene.calls.length = 0
  })

  it('takes any message and any other sound as a sign of life', () => {
    expect(scene.ask({ type: 'ping', req: 5 })).toEqual({ type: 'pong', req: 5, island: true })
    scene.session.heard()
    expect(scene.ask({ type: 'nonsense' })).toMatchObject({
      type: 'error',
      error: { code: 'invalid_argument', field: 'type' },
    })
    expect(scene.calls).toEqual(['heard', 'heard', 'heard'])
    expect(scene.closed).toBeUndefined()
  })

  it('answers when the commit is done, in whatever order, and says that a request has ended', async () => {
    scene.session.receive({
      type: 'register',
      req: 1,
      instances: [{ service: 's', id: 'a', host: 'h', port: 1 }],
    })
    scene.session.receive({
      type: 'register',
      req: 2,
      instances: [{ service: 's', id: 'b', host: 'h', port: 1 }],
    })
    expect([scene.session.inFlight, scene.calls]).toEqual([
      2,
      ['heard', 'register a by s1', 'heard', 'register b by s1'],
    ])
    for (const req of [2, 1]) {
      scene.registering[req - 1]?.()
      await turns()
      expect(scene.sent.at(-1)).toMatchObject({ type: 'registered', req, results: [{ ok: true }] })
    }
    expect([scene.session.inFlight, scene.settled]).toEqual([0, 2])
  })

  it('that its client ends because another one serves it has moved, and has not just ended', () => {
    scene.session.end('moved')
    expect(scene.calls.at(-1)).toBe('session moved')
  })

  it('subscribes when it first watches, pushes what is published, and closes both in the end', () => {
    expect(scene.ask({ type: 'watch', services: [{ service: 's', sign: SIGN }, { service: 't' }] })).toEqual({
      type: 'watching',
    })
    expect(scene.pushed).toEqual([update])
    scene.session.receive({ type: 'ack', seq: 9 })
    scene.session.stalled()
    scene.session.drained()
    scene.session.end()
    scene.session.end()
    expect(scene.calls.filter((call) => call !== 'heard')).toEqual([
      `watch s${SIGN},t`,
      'ack 9',
      'stalled',
      'drained',
      'close subscription',
      'close session',
    ])
    scene.session.receive({ type: 'ping' })
    expect(scene.sent.at(-1)).toEqual({ type: 'watching' })
  })

  it('tells a subscription that begins on a full connection', () => {
    scene.session.stalled()
    scene.session.receive({ type: 'watch', services: [{ service: 's' }] })
    expect(scene.calls).toEqual(['heard', 'stalled', 'watch s'])
  })

  it('passes hints on without an answer, and leaves out what it cannot read', () => {
    const said = scene.sent.length
    const instances = [{ service: 's', id: 'a', incarnation: 1 }, { service: 's' }]
    scene.session.receive({ type: 'hint', req: 4, instances })
    expect(scene.calls).toEqual(['heard', 'hint a1 by 10.0.0.9'])
    expect(scene.sent).toHaveLength(said)
    expect(scene.ask({ type: 'hint', req: 5 })).toMatchObject({ type: 'error', req: 5 })
  })

  it('says whether everybody has heard, of groups together with their service', () => {
    const ask = (...services: object[]) => scene.ask({ type: 'settled', req: 6, services })
    expect(ask({ service: 's', group: 'idle' })).toEqual({ type: 'settled', req: 6, settled: true, seq: 7 })
    expect(ask({ service: 's', group: 'busy' })).toMatchObject({ settled: false })
    expect(ask({ service: 's' }, { service: 't' })).toMatchObject({ settled: false })
    const since = { type: 'settled', req: 6, services: [{ service: 's' }] }
    expect(scene.ask({ ...since, seq: 5 })).toMatchObject({ seq: 5 })
    expect(scene.ask({ ...since, seq: '5' })).toMatchObject({ type: 'error', error: { field: 'seq' } })
  })

  it('resyncs and repairs only what it watches', () => {
    scene.session.receive({ type: 'watch', services: [{ service: 's' }, { service: 'u' }] })
    scene.session.receive({ type: 'unwatch', services: [{ service: 'u' }] })
    scene.session.receive({
      type: 'resync',
      services: [{ service: 's' }, { service: 'u' }, { service: 'x' }],
    })
    const answer = scene.ask({
      type: 'signs',
      req: 3,
      services: ['s', 'u', 'x'].map((service) => ({ service, sign: SIGN })),
    })
    expect(answer).toMatchObject({
      type: 'signs',
      req: 3,
      changed: [{ service: 's' }, { service: 'u' }, { service: 'x' }],
    })
    expect(scene.calls.filter((call) => call !== 'heard')).toEqual([
      'watch s,u',
      'unwatch u',
      'resync s',
      `watch s${SIGN}`,
    ])
  })

  it('answers failures as errors and lives on', () => {
    scene.watchFails = true
    expect(scene.ask({ type: 'watch', req: 1, services: [{ service: 's' }] })).toMatchObject({
      type: 'error',
      req: 1,
      error: { code: 'limit_exceeded' },
    })
    expect(scene.noted).toEqual(['limit_exceeded'])
    scene.ready = false
    expect(scene.ask({ type: 'lookup', service: 's' })).toMatchObject({
      error: { code: 'not_ready', message: 'the node is still loading' },
    })
    scene.ready = true
    expect(scene.ask({ type: 'lookup', service: 's' })).toMatchObject({ error: { code: 'unknown_service' } })
    // A fault of our own: services() is not there. Its text stays inside.
    expect(scene.ask({ type: 'services', req: 'x' })).toEqual({
      type: 'error',
      error: { code: 'internal', message: 'the node failed to answer; its log has the details' },
    })
    expect(scene.closed).toBeUndefined()
  })

  it('passes on what the core says of it', () => {
    const gone = {
      namespace: 'n',
      service: 's',
      group: 'g',
      id: 'i',
      incarnation: 1,
      reason: 'superseded' as const,
    }
    scene.opened?.onRemoved?.([gone])
    expect(scene.sent.at(-1)).toEqual({ type: 'removed', instances: [gone] })
    expect(scene.session.goaway('stopping', 100)).toBe(true)
    expect(scene.sent.at(-1)).toEqual({ type: 'goaway', reason: 'stopping', afterMs: 100 })
    scene.session.goaway('stopping', 200, 'b:1')
    expect(scene.sent.at(-1)).toEqual({ type: 'goaway', reason: 'stopping', afterMs: 200, to: 'b:1' })
    scene.opened?.onSilent?.()
    expect(scene.closed?.[0]).toBe(4408)
    expect(scene.calls).toContain('close session')
    scene.opened?.onRemoved?.([gone])
    expect(scene.session.goaway('again', 1)).toBe(false)
    expect(scene.sent.at(-1)).toMatchObject({ type: 'goaway', reason: 'stopping' })
  })

  it('tells which nodes there are in the welcome, and again when they are others', () => {
    const joined = new Scene()
    joined.nodes = ['a:1', 'b:1']
    joined.session.nodesChanged()
    expect(joined.session.goaway('rebalance', 1, 'b:1')).toBe(false)
    expect(joined.sent).toEqual([])
    joined.session.receive({ type: 'hello' })
    expect(joined.sent.at(-1)).toMatchObject({ type: 'welcome', nodes: ['a:1', 'b:1'] })
    joined.nodes = ['a:1', 'b:1']
    joined.session.nodesChanged()
    expect(joined.sent).toHaveLength(1)
    joined.nodes = ['a:1']
    joined.session.nodesChanged()
    joined.session.nodesChanged()
    expect(joined.sent.slice(1)).toEqual([{ type: 'nodes', nodes: ['a:1'] }])
    joined.nodes = []
    joined.session.nodesChanged()
    expect(joined.sent.at(-1)).toEqual({ type: 'nodes', nodes: [] })
    joined.session.end()
    joined.nodes = ['c:1']
    joined.session.nodesChanged()
    expect(joined.sent).toHaveLength(3)
  })

  it('asks a client for the parts of its lists only if that said that it can compare them', () => {
    const watch = { type: 'watch', req: 1, services: [{ service: 's', sign: SIGN }] }
    scene.hello()
    expect(scene.ask(watch)).toEqual({ type: 'watching', req: 1 })
    const able = new Scene()
    able.session.receive({ type: 'hello', parts: true })
    const compare = [{ namespace: 'default', service: 's', parts: 64 }]
    expect(able.ask(watch)).toEqual({ type: 'watching', req: 1, compare })
    const wrong = { type: 'watch', req: 2, services: [{ service: 's', sign: SIGN, sums: 'abc' }] }
    expect(able.ask(wrong)).toMatchObject({
      type: 'error',
      req: 2,
      error: { code: 'invalid_argument', field: 'services[0].sums' },
    })
  })

  it('says nothing of nodes without a cluster', () => {
    expect(scene.sent[0]).toMatchObject({ type: 'welcome' })
    expect(scene.sent[0]).not.toHaveProperty('nodes')
  })

  it('says nothing more to a client that left while its request was under way', async () => {
    scene.session.receive({ type: 'register', req: 1, instances: [{ service: 's', host: 'h', port: 1 }] })
    scene.session.end()
    const said = scene.sent.length
    scene.registering[0]?.()
    await turns()
    expect([scene.sent.length, scene.session.inFlight]).toEqual([said, 0])
  })
})
