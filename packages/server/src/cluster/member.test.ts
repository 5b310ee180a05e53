/** What a node of a cluster does with its engine and its peers, whatever becomes of them. */
import { NO_LOGGER } from '@rollcall/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { command, over, PEER, pending, register } from '../driver/node-driver.fixture.js'
import { KEY, state, TestCluster, type TestNode, unpublished } from './members.fixture.js'

let cluster: TestCluster
let a: TestNode
let b: TestNode

function judge({ driver }: TestNode, id = 'a'): string | undefined {
  return driver.inspect((node) => node.directory.entry({ ...KEY, id })?.record.verdict.node)
}

beforeEach(async () => {
  cluster = new TestCluster()
  a = cluster.start('a')
  b = cluster.start('b')
  await cluster.joined(a, b)
})

describe('two nodes', () => {
  it('know each other, and tell clients of each other', () => {
    for (const node of [a, b]) {
      expect([...node.member.offered].toSorted()).toEqual(['a:7400', 'b:7400'])
      const { nodes, epoch, divergence } = node.member.cluster()
      expect([nodes[0]?.name, nodes.map(({ state: each }) => each), divergence]).toEqual([
        node === a ? 'a' : 'b',
        ['ready', 'ready'],
        0,
      ])
      expect(epoch).toBe(a.member.cluster().epoch)
    }
  })

  it('have what either accepts, and answer at once where something brings it back', async () => {
    const [result] = await register(a.driver, [command()], PEER)
    expect(result).toMatchObject({ ok: true, durability: 'disk' })
    expect(unpublished(a)).toBe(1)
    await cluster.clock.pass(50)
    expect([state(b), judge(b), unpublished(a)]).toEqual(['up', a.node, 0])
  })

  it('wait for the engine with a deregistration, and with what nothing else brings back', async () => {
    const registered = register(a.driver, [command({ liveness: 'static' })], PEER)
    expect(await pending(registered)).toBe(true)
    await cluster.clock.pass(20)
    expect(await registered).toMatchObject([{ durability: 'replicated' }])
    const removed = a.driver.execute({ kind: 'deregister', refs: [{ ...KEY, incarnation: 1 }] }, PEER)
    await cluster.clock.pass(20)
    expect((await removed).durability).toBe('replicated')
    expect(state(b)).toBeUndefined()
  })

  it('wait no longer than a quarter of a second, and not at all for an engine that is known to be lost', async () => {
    a.engine.line.cut()
    const slow = register(a.driver, [command({ liveness: 'static' })], PEER)
    await cluster.clock.pass(240)
    expect(await pending(slow)).toBe(true)
    await cluster.clock.pass(20)
    expect(await slow).toMatchObject([{ durability: 'disk' }])
    await cluster.clock.pass(6_000)
    expect(await register(a.driver, [command({ id: 'b', liveness: 'static' })], PEER)).toMatchObject([
      { durability: 'disk' },
    ])
  })

  it('refuse what must be replicated and is not in time', async () => {
    a.engine.line.cut()
    const demanded = register(a.driver, [command()], PEER, 'replicated')
    const outcome = demanded.then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    )
    await cluster.clock.pass(11_000)
    expect(await outcome).toBe('not_durable')
  })
})

describe('a node without its engine', () => {
  it('is an island that serves on, and says so', async () => {
    a.engine.line.cut()
    await cluster.clock.pass(5_000)
    expect(a.driver.read(PEER).health()).toEqual({ stale: false, island: true })
    expect(a.member.cluster()).toMatchObject({ engine: { state: 'lost' }, nodes: [{ state: 'island' }, {}] })
    expect(b.member.cluster().nodes[1]).toMatchObject({ name: 'a', state: 'island' })
    expect(await register(a.driver, [command()], PEER)).toMatchObject([{ ok: true }])
    a.engine.line.heal()
    await cluster.clock.pass(3_000)
    expect(a.driver.read(PEER).health()).toEqual({ stale: false, island: false })
    expect([state(b), unpublished(a), unpublished(b)]).toEqual(['up', 0, 0])
  })

  it('tells its peers what it cannot publish, and they publish it', async () => {
    a.engine.line.cut()
    await cluster.clock.pass(5_000)
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(1_000)
    expect([state(b), unpublished(b)]).toEqual(['up', 0])
    expect(cluster.store.list().some(({ key }) => key.startsWith('records/'))).toBe(true)
  })

  it('is told by its peers what it cannot hear', async () => {
    await register(a.driver, [command({ id: 'old' })], PEER)
    await cluster.clock.pass(100)
    a.engine.line.cut()
    await cluster.clock.pass(7_000)
    await register(b.driver, [command()], PEER)
    void b.driver.execute({ kind: 'deregister', refs: [{ ...KEY, id: 'old', incarnation: 1 }] }, PEER)
    await cluster.clock.pass(1_000)
    expect([state(a), state(a, 'old'), unpublished(a)]).toEqual(['up', undefined, 2])
    a.engine.line.heal()
    await cluster.clock.pass(5_000)
    expect([state(a), state(a, 'old'), unpublished(a), unpublished(b)]).toEqual(['up', undefined, 0, 0])
  })

  it('keeps its instances in all lists', async () => {
    await register(a.driver, [command()], PEER)
    await cluster.beating(2_000, a)
    a.engine.line.cut()
    for (let round = 0; round < 60; round++) {
      await cluster.beating(1_000, a)
      expect([state(a), state(b)]).toEqual(['up', 'up'])
    }
    a.engine.line.heal()
    await cluster.beating(10_000, a)
    expect([state(a), state(b), unpublished(a), unpublished(b)]).toEqual(['up', 'up', 0, 0])
  })
})

describe('a session that moves', () => {
  it('takes its judge along at once, also while the engine is slow, and costs one write', async () => {
    const c = cluster.start('c')
    await cluster.joined(a, b, c)
    const old = a.driver.openSession({}, PEER)
    await register(a.driver, [command()], over(old))
    await cluster.clock.pass(1_000)
    const { revision } = cluster.store
    for (const { engine } of [a, b, c]) engine.line.delayMs = 1_000
    const next = b.driver.openSession({}, PEER)
    await register(b.driver, [command()], over(next))
    old.close()
    await cluster.clock.pass(20)
    for (const node of [a, b, c]) expect([judge(node), state(node)]).toEqual([b.node, 'up'])
    for (let passed = 0; passed < 8; passed++) {
      next.heard()
      await cluster.clock.pass(1_000)
    }
    for (const node of [a, b, c])
      expect([judge(node), state(node), unpublished(node)]).toEqual([b.node, 'up', 0])
    expect(cluster.store.revision).toBe(revision + 1)
  })
})

describe('a session that moves while its nodes are not linked', () => {
  it('is no death: the node that it left takes its last word for a beat, and hears of the rest with the link', async () => {
    const old = a.driver.openSession({}, PEER)
    await register(a.driver, [command()], over(old))
    await cluster.clock.pass(1_000)
    for (const { engine } of [a, b]) engine.line.delayMs = 2_500
    cluster.board.link(a.node, b.node, false)
    const next = b.driver.openSession({}, PEER)
    await register(b.driver, [command()], over(next))
    old.moved()
    await cluster.clock.pass(2_000)
    expect([judge(a), state(a)]).toEqual([a.node, 'up'])
    cluster.board.link(a.node, b.node, true)
    await cluster.clock.pass(100)
    expect([judge(a), state(a)]).toEqual([b.node, 'up'])
  })
})

describe('beats', () => {
  it('that go round all nodes write nothing to the engine, and keep an instance up', async () => {
    const c = cluster.start('c')
    await cluster.joined(a, b, c)
    await register(a.driver, [command()], PEER)
    await cluster.beating(1_000, a)
    const { revision } = cluster.store
    for (let round = 0; round < 60; round++) {
      const { driver } = [a, b, c][round % 3]!
      driver.heard([{ ...KEY, incarnation: 1 }], PEER)
      await cluster.clock.pass(5_000)
      for (const node of [a, b, c]) expect(state(node)).toBe('up')
    }
    expect(cluster.store.revision).toBe(revision)
  })
})

describe('a node that dies', () => {
  it('is gone for the others after its lease, and what it judged is judged by one of them', async () => {
    await register(a.driver, [command()], PEER)
    await cluster.beating(1_000, b)
    a.engine.line.cut()
    a.driver.close()
    cluster.board.link(a.node, b.node, false)
    await cluster.beating(2_000, b)
    expect(b.member.cluster().nodes).toMatchObject([{ name: 'b' }, { name: 'a', state: 'gone' }])
    await cluster.beating(13_000, b)
    expect([judge(b), state(b)]).toEqual([b.node, 'up'])
    expect(b.member.cluster().nodes).toMatchObject([{ name: 'b' }, { name: 'a', state: 'gone' }])
    expect(b.member.offered).toEqual(['b:7400'])
  })

  it('and its instances with it: they are doubted within twenty seconds', async () => {
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(1_000)
    a.engine.line.cut()
    a.driver.close()
    cluster.board.link(a.node, b.node, false)
    await cluster.clock.pass(20_000)
    expect(state(b)).toBe('suspect')
  })
})

describe('a node that starts', () => {
  it('is not ready before it has loaded, and then has everything', async () => {
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(100)
    const c = cluster.start('c')
    expect(c.driver.readiness()).toEqual({ ready: false, reason: 'loading' })
    await cluster.clock.pass(1_000)
    expect(c.driver.readiness()).toEqual({ ready: true })
    expect([state(c), c.driver.read(PEER).isStale()]).toEqual(['up', false])
  })

  it('without the engine serves what its journal had after five seconds, marked stale; with nothing it never does', async () => {
    cluster.store.stop()
    const record = {
      kind: 'record',
      record: { ...recordOf(), verdict: { ...recordOf().verdict, node: 'old' } },
    } as const
    const c = cluster.start('c', [record])
    const empty = cluster.start('d')
    await cluster.clock.pass(4_900)
    expect(c.driver.readiness()).toMatchObject({ ready: false })
    await cluster.clock.pass(200)
    expect(c.driver.readiness()).toEqual({ ready: true })
    expect([state(c), c.driver.read(PEER).isStale()]).toEqual(['up', true])
    expect(empty.driver.readiness()).toMatchObject({ ready: false })
  })

  it('does not join a cluster of another name, and says so once a minute', async () => {
    const lines: string[] = []
    const logger = { ...NO_LOGGER, error: (_: object, message: string) => void lines.push(message) }
    const c = cluster.start('c', [], { cluster: 'other', logger })
    await cluster.clock.pass(50_000)
    expect(lines).toEqual(['this node cannot join the cluster'])
    await cluster.clock.pass(40_000)
    expect(lines).toHaveLength(2)
    expect(c.driver.readiness()).toMatchObject({ ready: false })
    expect(c.member.cluster().engine.state).toBe('lost')
    expect(a.member.offered).toHaveLength(2)
  })
})

describe('a node that tells of its cluster', () => {
  it('names the nodes when they are others, and warns of one of its own name once', async () => {
    const lines: string[] = []
    const tell = (fields: object, message: string): void => {
      lines.push(`${message} ${JSON.stringify(fields)}`)
    }
    const c = cluster.start('c', [], { logger: { ...NO_LOGGER, info: tell, warn: tell } })
    await cluster.joined(c)
    lines.length = 0
    b.member.stop()
    await cluster.clock.pass(5_000)
    expect(lines).toEqual([])
    const other = cluster.start('c')
    await cluster.joined(other)
    await cluster.clock.pass(10_000)
    expect(lines).toEqual([
      'nodes of the cluster {"nodes":["a","b","c","c"]}',
      'another node has the same nodeId: each needs one of its own {"name":"c","address":"c:7400"}',
    ])
  })
})

describe('a node that stops', () => {
  it('publishes what is left, and leaves at once', async () => {
    await register(a.driver, [command()], PEER)
    a.member.stop()
    await cluster.clock.pass(10)
    expect(b.member.offered).toEqual(['b:7400'])
    const closed = a.member.close()
    await cluster.clock.pass(200)
    await closed
    await cluster.clock.pass(50)
    expect(state(b)).toBe('up')
    expect(b.member.cluster().nodes).toMatchObject([{ name: 'b' }, { name: 'a', state: 'gone' }])
  })
})

describe('sessions', () => {
  it('are sent where there is room, and left alone where it makes no odds', async () => {
    a.sessions = 100
    await cluster.clock.pass(5_000)
    expect([a.moved, b.moved]).toEqual([[50, 'b:7400'], []])
    a.sessions = 60
    b.sessions = 50
    await cluster.clock.pass(4_000)
    a.moved = []
    await cluster.clock.pass(10_000)
    expect(a.moved).toEqual([])
  })

  it('are not sent to an island', async () => {
    b.engine.line.cut()
    await cluster.clock.pass(6_000)
    a.sessions = 100
    await cluster.clock.pass(5_000)
    expect(a.moved).toEqual([])
  })
})

describe('memory and engine', () => {
  it('are compared, and what differs is repaired and shown', async () => {
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(1_000)
    // As if the watch had swallowed something.
    b.driver.inspect((node) => {
      const entry = node.directory.entry(KEY)
      if (entry !== undefined) entry.revision = 0
    })
    await cluster.beating(75_000, a)
    expect(b.member.cluster().divergence).toBe(1)
    expect(b.driver.inspect((node) => node.directory.entry(KEY)?.revision)).toBeGreaterThan(0)
    await cluster.beating(75_000, a)
    expect(b.member.cluster().divergence).toBe(0)
  })

  it('agree on who is a node: a value that is none is left alone, and told of', async () => {
    const lines: string[] = []
    const logger = { ...NO_LOGGER, warn: (_: object, message: string) => void lines.push(message) }
    const c = cluster.start('c', [], { logger })
    await cluster.joined(c)
    for (const [id, address] of Object.entries({ 'x.1': 'no address %%', 'y.1': '' })) {
      const value = JSON.stringify({ node: id, address, version: '1' })
      cluster.store.write([{ key: `nodes/${id}`, value, expected: 0 }])
    }
    await cluster.clock.pass(1_000)
    expect(c.member.offered).toHaveLength(3)
    expect(lines).toEqual(['the engine holds a node that cannot be read: left alone'])
  })

  it('are compared without what is no record, which is told of once', async () => {
    const lines: string[] = []
    const logger = { ...NO_LOGGER, warn: (_: object, message: string) => void lines.push(message) }
    const c = cluster.start('c', [], { logger })
    const key = 'records/default/orders/default/by-hand'
    cluster.store.write([{ key, value: 'nonsense', expected: 0 }])
    await cluster.clock.pass(200_000)
    expect(lines).toEqual(['the engine holds what is no record: left alone'])
    expect(c.member.cluster().divergence).toBe(0)
    const revision = cluster.store.list().find((entry) => entry.key === key)?.revision ?? 0
    cluster.store.write([{ key, value: 'other nonsense', expected: revision }])
    await cluster.clock.pass(100_000)
    expect(lines).toHaveLength(2)
  })
})

function recordOf(): NonNullable<ReturnType<typeof recordIn>> {
  return {
    ...KEY,
    incarnation: 1,
    content: {
      intent: 'up',
      rev: 1,
      host: '10.0.0.1',
      port: 3000,
      weight: 100,
      metadata: {},
      leaseMs: 15_000,
      liveness: 'lease',
      named: true,
      digest: '0123456789abcdef',
    },
    verdict: { value: 'up', claim: 1, node: 'old', seq: 0, reason: 'registered' },
  }
}

function recordIn({ driver }: TestNode) {
  return driver.inspect((node) => node.directory.entry(KEY)?.record)
}
