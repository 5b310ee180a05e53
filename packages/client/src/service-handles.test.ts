/** Handles of services, and what ends with them. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { HandClock, settle } from '@rollcall/testkit/time'
import { createClient } from './client.js'
import { instance, stageSettings, view } from './clusters/stage.fixture.js'
import { Node } from './node.fixture.js'
import { createWarmUps } from './start-up/warm-up.js'
import type { Rollcall, Service, WatchedService } from './api.js'
import { IDLE_SERVICES_MAX, SERVICES_MAX } from './service-handles.js'

interface Scene {
  readonly clock: HandClock
  readonly node: Node
  readonly client: Rollcall
  readonly warnings: string[]
  readonly watched: string[]
}

function setUp(): Scene {
  const clock = new HandClock()
  const node = new Node()
  const warnings: string[] = []
  const watched: string[] = []
  const log = (_fields: unknown, message: string): void => void warnings.push(message)
  const client = createClient(
    {
      transport: node,
      clock,
      logger: { error: log, warn: log, info() {}, debug() {} },
      observer: {
        opened(service: WatchedService) {
          watched.push(service.name)
          return () => void watched.splice(watched.indexOf(service.name), 1)
        },
      },
      snapshots: new Map(),
      createRequester: () => ({
        send: () => Promise.reject(new Error('no requests here')),
        retain() {},
        close() {},
      }),
      addresses: { interfaces: () => [], route: () => Promise.resolve('10.8.8.8') },
      warmUps: createWarmUps({ clock, random: () => 0 }, { warmup: false }),
    },
    {
      clusters: [stageSettings({})],
      merge: 'union',
      namespace: 'default',
      zone: undefined,
      random: () => 0.5,
      address: {},
      signal: undefined,
    },
  )
  return { clock, node, client, warnings, watched }
}

/** The code a promise is rejected with. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (error: { readonly code?: unknown }) => error.code,
  )
}

/** The code of what is thrown. */
function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
  return 'nothing'
}

const names = (client: Rollcall): string[] => client.status().services.map(({ service }) => service)
const pause = (): Promise<void> => new Promise(() => undefined)

describe('a handle', () => {
  it('ends what it began, and nothing that another began', async () => {
    const { client, node } = setUp()
    const [mine, other] = [client.service('orders'), client.service('orders')]
    const ready = codeOf(mine.ready())
    const call = codeOf(mine.call(pause))
    const seen: number[] = []
    const reading = (async () => {
      for await (const { instances } of mine.changes()) seen.push(instances.length)
    })()
    const calls: string[] = []
    mine.onCandidates(() => calls.push('mine'))
    other.onCandidates(() => calls.push('other'))
    const waiting = other.ready()
    await settle()
    mine.close()
    mine.close()
    expect(await ready).toBe('closed')
    expect(await call).toBe('closed')
    await reading
    node.say(view([instance('a')]))
    await waiting
    await settle()
    expect(calls).toEqual(['other'])
    expect(seen).toEqual([])
    expect(other.pick().id).toBe('a')
    expect(thrown(() => mine.pick())).toBe('closed')
    expect(thrown(() => mine.attempt())).toBe('closed')
    expect(thrown(() => mine.shards(1))).toBe('closed')
    expect(await codeOf(mine.fetch('/'))).toBe('closed')
    expect(await codeOf(mine.ready())).toBe('closed')
    expect(await mine.changes().next()).toEqual({ done: true, value: undefined })
    expect(node.heard).not.toContain('unwatch')
  })

  it('ends the readers of its shards, and of no other handle', async () => {
    const { client, node } = setUp()
    const [mine, other] = [client.service('orders'), client.service('orders')]
    await settle()
    node.say(view([instance('a')]))
    await settle()
    const [own, others] = [mine.shards(4).changes(), other.shards(4).changes()]
    expect([(await own.next()).done, (await others.next()).done]).toEqual([false, false])
    const ended = own.next()
    let going = true
    void others.next().then(() => (going = false))
    mine.close()
    expect(await ended).toEqual({ done: true, value: undefined })
    await settle()
    expect(going).toBe(true)
  })

  it('can be dropped without being closed: nothing but the watch stays', async () => {
    setFlagsFromString('--expose-gc')
    // In a task of its own: what a reference was just made to stays for the present one.
    const collect = runInNewContext('gc') as (how: { readonly execution: 'async' }) => Promise<void>
    const { client } = setUp()
    const open = (): WeakRef<Service> => {
      const service = client.service('orders')
      void service
        .changes({ signal: AbortSignal.abort() })
        .next()
        .catch(() => undefined)
      return new WeakRef(service)
    }
    const handles = Array.from({ length: 100 }, open)
    await settle()
    await collect({ execution: 'async' })
    expect(handles.filter((handle) => handle.deref() !== undefined)).toEqual([])
    expect(names(client)).toEqual(['orders'])
  })

  it('ends the watch when it is the last one; the next one watches again', async () => {
    const { client, node, watched } = setUp()
    const first = client.service('orders')
    const second = client.service('orders')
    await settle()
    node.say(view([instance('a')]))
    await settle()
    first.close()
    await settle()
    expect(node.heard).not.toContain('unwatch')
    second.close()
    await settle()
    expect(node.heard.filter((type) => type === 'unwatch')).toHaveLength(1)
    expect(names(client)).toEqual([])
    expect(watched).toEqual([])
    const again = client.service('orders')
    await settle()
    node.say(view([instance('b')]))
    await again.ready()
    expect(again.pick().id).toBe('b')
    expect(first.instances()).toEqual([])
    expect(node.heard.filter((type) => type === 'watch')).toHaveLength(2)
  })

  it('is closed with `using`, and with the client', async () => {
    const { client } = setUp()
    const service = client.service('orders')
    service[Symbol.dispose]()
    expect(thrown(() => service.pick())).toBe('closed')
    const open = client.service('orders')
    const waiting = codeOf(open.ready())
    await client.close()
    expect(await waiting).toBe('closed')
    expect(thrown(() => open.pick())).toBe('closed')
    expect(thrown(() => client.service('orders').pick())).toBe('closed')
    expect(await codeOf(client.service('orders', { idleMs: 1 }).fetch('/'))).toBe('closed')
  })

  it('says why there is no more room', () => {
    const { client, warnings } = setUp()
    const handles: Service[] = []
    for (let number = 0; number < SERVICES_MAX; number += 1) handles.push(client.service(`s${number}`))
    expect(thrown(() => client.service('one-more'))).toBe('limit_exceeded')
    expect(thrown(() => client.service('one-more'))).toBe('limit_exceeded')
    expect(warnings).toHaveLength(1)
    expect(thrown(() => client.service('s0').close())).toBe('nothing')
    handles[0]!.close()
    expect(thrown(() => client.service('one-more'))).toBe('nothing')
  })
})

describe('a handle for names that others choose', () => {
  it('is one for all, and ends when it was not used for a time', async () => {
    const { client, clock, node } = setUp()
    const service = client.service('orders', { idleMs: 1_000 })
    expect(client.service('orders', { idleMs: 1_000 })).toBe(service)
    await clock.pass(900)
    node.say(view([instance('a')]))
    await settle()
    service.pick()
    await clock.pass(900)
    expect(names(client)).toEqual(['orders'])
    await clock.pass(100)
    await settle()
    expect(names(client)).toEqual([])
    expect(node.heard).toContain('unwatch')
    expect(thrown(() => service.pick())).toBe('closed')
    expect(client.service('orders', { idleMs: 1_000 })).not.toBe(service)
  })

  it('stays while a call, a wait, a reader or a listener is there', async () => {
    const { client, clock } = setUp()
    const open = (name: string): Service => client.service(name, { idleMs: 1_000 })
    const ends: (() => void)[] = []
    void codeOf(open('call').call(pause))
    void codeOf(open('wait').ready({ timeoutMs: 5_000 }))
    const reader = open('reader').changes()
    void reader.next()
    const shards = open('shards').shards(4).changes()
    ends.push(open('listener').onCandidates(() => undefined))
    await clock.pass(4_000)
    expect(names(client)).toEqual(['call', 'wait', 'reader', 'shards', 'listener'])
    for (const end of ends) end()
    await reader.return?.()
    await shards.return?.()
    await clock.pass(3_000)
    await settle()
    expect(names(client)).toEqual([])
  })

  it('is not kept by a reader whose signal was aborted before', async () => {
    const { client, clock } = setUp()
    const service = client.service('orders', { idleMs: 1_000 })
    const signal = AbortSignal.abort()
    for (const reader of [service.changes({ signal }), service.shards(4).changes({ signal })])
      expect(await codeOf(reader.next())).toBe('aborted')
    await clock.pass(1_000)
    await settle()
    expect(names(client)).toEqual([])
  })

  it('ends no watch that another handle has', async () => {
    const { client, clock } = setUp()
    client.service('orders')
    client.service('orders', { idleMs: 1_000 })
    await clock.pass(3_000)
    await settle()
    expect(names(client)).toEqual(['orders'])
  })

  it('uses up no room of others: the one used least recently goes first', async () => {
    const { client, clock, node, warnings } = setUp()
    const used = client.service('used', { idleMs: 60_000 })
    for (let number = 0; number < 1_200; number += 1) {
      await clock.pass(1)
      client.service('used', { idleMs: 60_000 })
      client.service(`nobody-${number}`, { idleMs: 60_000 })
    }
    await settle()
    expect(names(client)).toHaveLength(IDLE_SERVICES_MAX)
    expect(names(client)).toContain('used')
    expect(names(client)).toContain('nobody-1199')
    expect(warnings).toHaveLength(1)
    client.service('mine')
    node.say(view([instance('a')], { service: 'used' }))
    await settle()
    expect(used.pick().id).toBe('a')
    await clock.pass(60_000)
    await settle()
    expect(names(client)).toEqual(['mine'])
  })

  it('is refused when all are in use, and others are not', () => {
    const { client } = setUp()
    for (let number = 0; number < IDLE_SERVICES_MAX; number += 1)
      void codeOf(client.service(`nobody-${number}`, { idleMs: 1_000 }).ready())
    expect(thrown(() => client.service('more', { idleMs: 1_000 }))).toBe('limit_exceeded')
    expect(thrown(() => client.service('mine'))).toBe('nothing')
  })

  it('needs a time', () => {
    const { client } = setUp()
    for (const idleMs of [0, -1, Number.NaN, Infinity, '5' as unknown as number])
      expect(thrown(() => client.service('orders', { idleMs }))).toBe('invalid_argument')
  })
})
