/** A stream session by its messages alone, over a transport in memory. */
import {
  ANONYMOUS,
  type Caller,
  type CommandKind,
  type CommandOf,
  type Done,
  NO_LOGGER,
  NO_METER,
  type Queries,
  type Registry,
  type SessionOptions,
  type Subscriber,
  type Update,
  type WatchCommand,
} from '@rollcall/core'
import { EMPTY_SIGN, RegistryError, type ServerMessage, type View } from '@rollcall/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { ViewBodies } from '../../http/view-bodies.js'
import { HandClock } from '@rollcall/testkit/time'
import { resolveOptions } from '../options.js'
import { createStreamSession, type StreamSession } from './session.js'

const SIGN = '0123456789abcdef'
const update: Update = {
  kind: 'delta',
  seq: 1,
  delta: { namespace: 'default', service: 's', from: EMPTY_SIGN, to: SIGN, upserts: [], removes: [] },
}

/** What the session did to the registry, and what it said and did to the client. */
class Scene {
  readonly clock: HandClock = new HandClock()
  readonly calls: string[] = []
  readonly sent: ServerMessage[] = []
  readonly pushed: Update[] = []
  readonly noted: string[] = []
  closed: [number, string] | undefined
  settled = 0
  ready = true
  watchFails = false
  opened: SessionOptions | undefined
  subscriber: Subscriber | undefined
  registering: (() => void)[] = []
  readonly session: StreamSession

  constructor() {
    this.session = createStreamSession(
      {
        registry: this.registry(),
        clock: this.clock,
        logger: NO_LOGGER,
        meter: NO_METER,
        refusals: { note: (error) => void this.noted.push(error.code) },
        node: {
          id: 'n1',
          cluster: 'c',
          readiness: () => (this.ready ? { ready: true } : { ready: false, reason: 'loading' }),
        },
        views: new ViewBodies(this.clock, 0),
      },
      resolveOptions({}),
      {
        send: (message) => void this.sent.push(message),
        sendFound: (view, req) =>
          void this.sent.push({
            type: 'found',
            view: JSON.parse(String(view)) as View,
            ...(req === undefined ? {} : { req }),
          }),
        push: (publication) => void this.pushed.push(publication),
        close: (code, reason) => (this.closed = [code, reason]),
        settled: () => void this.settled++,
      },
      { principal: ANONYMOUS, peer: '10.0.0.9' },
    )
  }

  private registry(): Registry {
    const note = (call: string) => (): void => void this.calls.push(call)
    const keys = (items: readonly WatchCommand[]): string =>
      items.map(({ service, sign }) => service + (sign ?? '')).join()
    const registry: Partial<Registry> = {
      openSession: (options, caller) => {
        this.opened = options
        this.calls.push(`open ${caller.peer}`)
        return { id: 's1', heard: note('heard'), close: note('close session') }
      },
      subscribe: (subscriber) => {
        this.subscriber = subscriber
        return {
          watch: (items) => {
            if (this.watchFails) throw new RegistryError('limit_exceeded', 'full')
            this.calls.push(`watch ${keys(items)}`)
            subscriber.deliver(update)
          },
          unwatch: (items) => void this.calls.push(`unwatch ${keys(items)}`),
          resync: (items) => void this.calls.push(`resync ${keys(items)}`),
          ack: (seq) => void this.calls.push(`ack ${seq}`),
          stalled: note('stalled'),
          drained: note('drained'),
          close: note('close subscription'),
        }
      },
      execute: <K extends CommandKind>(command: CommandOf<K>, caller: Caller) =>
        new Promise<Done<K>>((resolve) => {
          const items = 'items' in command ? command.items : []
          this.calls.push(`register ${items.map(({ id }) => id).join()} by ${caller.session?.id}`)
          const answer = items.map(({ service, group, id }) => ({
            ok: true as const,
            service,
            group,
            id,
            incarnation: 1,
          }))
          const done: Done<'register'> = { answer, durability: 'disk' }
          this.registering.push(() => resolve(done as Done<K>))
        }),
      report: (report, caller) => {
        const refs = report.kind === 'unreachable' ? report.refs : []
        const named = refs.map(({ id, incarnation }) => `${id}${incarnation}`).join()
        this.calls.push(`hint ${named} by ${caller.peer}`)
      },
      read: () => queries as Queries,
    }
    const queries: Partial<Queries> = {
      settled: (names, seq = 7) => ({
        settled: names.every(({ service, group }) => service === 's' && group !== 'busy'),
        seq,
      }),
      compareSigns: (items) => ({
        changed: items.map(({ namespace, service }) => ({ namespace, service, sign: EMPTY_SIGN })),
      }),
      knows: () => false,
      namesake: () => undefined,
      health: () => ({ stale: false, island: true }),
    }
    return registry as Registry
  }

  hello(): this {
    this.session.receive({ type: 'hello', req: 1, client: 'test' })
    return this
  }

  /** The answer to a request. */
  ask(message: object): ServerMessage | undefined {
    this.session.receive(message)
    return this.sent.at(-1)
  }
}

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
    scene.session.goaway('stopping', 100)
    expect(scene.sent.at(-1)).toEqual({ type: 'goaway', reason: 'stopping', afterMs: 100 })
    scene.opened?.onSilent?.()
    expect(scene.closed?.[0]).toBe(4408)
    expect(scene.calls).toContain('close session')
    scene.opened?.onRemoved?.([gone])
    scene.session.goaway('again', 1)
    expect(scene.sent.at(-1)).toMatchObject({ type: 'goaway', reason: 'stopping' })
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
