/** What nodes do with an engine that is lost, wiped, restored, slow, full or compacted. */
import { EngineError, NO_LOGGER } from '@rollcall/core'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { command, PEER, register } from '../driver/node-driver.fixture.js'
import { KEY, state, TestCluster, type TestNode, unpublished } from './members.fixture.js'

let cluster: TestCluster
let a: TestNode
let b: TestNode

beforeEach(async () => {
  cluster = new TestCluster()
  a = cluster.start('a')
  b = cluster.start('b')
  await cluster.joined(a, b)
})

describe('all nodes without the engine, for two minutes', () => {
  it('go on, and agree soon after it is back', async () => {
    await register(a.driver, [command(), command({ id: 'leaves' })], PEER)
    await cluster.beating(1_000, a)
    cluster.store.stop()
    await cluster.beating(60_000, a)
    await register(b.driver, [command({ id: 'new', liveness: 'static' })], PEER)
    await a.driver.execute({ kind: 'deregister', refs: [{ ...KEY, id: 'leaves', incarnation: 1 }] }, PEER)
    await cluster.beating(60_000, a)
    expect([state(a), state(b)]).toEqual(['up', 'up'])
    cluster.store.start()
    await cluster.beating(10_000, a)
    for (const node of [a, b])
      expect([state(node), state(node, 'leaves'), state(node, 'new'), unpublished(node)]).toEqual([
        'up',
        undefined,
        'up',
        0,
      ])
  })

  it('tell each other what both of them changed of one instance', async () => {
    await register(a.driver, [command({ incarnation: 1, rev: 1 })], PEER)
    cluster.store.stop()
    await cluster.beating(8_000, a)
    await register(a.driver, [command({ incarnation: 1, rev: 2, weight: 7 })], PEER)
    const { told } = cluster.board
    const before = told.length
    for (let ms = 0; ms < 500; ms++) {
      if (told.slice(before).some(({ message }) => message.type === 'learn')) break
      await cluster.clock.pass(1)
    }
    // What b heard of it says nothing of this.
    void b.driver.execute({ kind: 'override', refs: [KEY], drain: true, by: 'me', why: 'test' }, PEER)
    await cluster.beating(2_000, a)
    expect([state(a), state(b)]).toEqual(['draining', 'draining'])
  })

  it('lose nothing when it comes back with nothing', async () => {
    await register(a.driver, [command()], PEER)
    await cluster.beating(1_000, a)
    const { epoch } = a.member.cluster()
    cluster.store.wipe()
    await cluster.beating(20_000, a)
    for (const node of [a, b])
      expect([state(node), node.member.cluster().engine.state]).toEqual(['up', 'connected'])
    expect(a.member.cluster().epoch).not.toBe(epoch)
    expect(b.member.cluster().epoch).toBe(a.member.cluster().epoch)
    expect(cluster.store.list().filter(({ key }) => key.startsWith('records/'))).toHaveLength(1)
  })

  it('lose nothing when it comes back older than it was', async () => {
    const backup = cluster.store.backup()
    await register(a.driver, [command()], PEER)
    await register(a.driver, [command({ id: 'gone' })], PEER)
    void a.driver.execute({ kind: 'deregister', refs: [{ ...KEY, id: 'gone', incarnation: 1 }] }, PEER)
    await cluster.beating(2_000, a)
    cluster.store.restore(backup)
    await cluster.beating(20_000, a)
    for (const node of [a, b])
      expect([state(node), state(node, 'gone'), unpublished(node)]).toEqual(['up', undefined, 0])
  })
})

describe('an engine', () => {
  it('that is restored beside a node that does not see it has the same nodes for all before long', async () => {
    const backup = cluster.store.backup()
    for (const id of ['a', 'b']) await register(a.driver, [command({ id })], PEER)
    await cluster.clock.pass(1_000)
    a.engine.line.cut()
    cluster.store.restore(backup)
    const c = cluster.start('c')
    await cluster.joined(c)
    a.engine.line.heal()
    await cluster.clock.pass(10_000)
    // Its watch goes on at a revision that the engine has had since: what was written before that it never hears.
    expect(a.member.offered).toEqual(['a:7400', 'b:7400'])
    await cluster.clock.pass(75_000)
    expect(a.member.offered).toEqual(['a:7400', 'b:7400', 'c:7400'])
  })

  it('that is restored while a node joins it anew gets what that node knows better', async () => {
    await register(a.driver, [command({ incarnation: 1, rev: 1 })], PEER)
    await cluster.beating(1_000, a)
    const backup = cluster.store.backup()
    await register(a.driver, [command({ incarnation: 1, rev: 2, weight: 7 })], PEER)
    for (const id of ['1', '2', '3', '4', '5', '6', '7', '8']) {
      await register(a.driver, [command({ id })], PEER)
      await cluster.clock.pass(50)
    }
    a.engine.line.cut()
    for (const id of ['more', 'even-more']) {
      await register(b.driver, [command({ id })], PEER)
      await cluster.clock.pass(50)
    }
    cluster.store.compact()
    a.engine.line.reset()
    a.engine.line.heal()
    for (let ms = 0; ms < 500 && a.member.cluster().engine.state === 'connected'; ms++)
      await cluster.clock.pass(1)
    cluster.store.stop()
    b.engine.line.cut()
    await cluster.clock.pass(500)
    cluster.store.restore(backup)
    await cluster.beating(6_000, a)
    cluster.store.start()
    await cluster.beating(10_000, a)
    const { value = '' } = cluster.store.get('records/default/orders/default/a') ?? {}
    expect(JSON.parse(value)).toMatchObject({ content: { rev: 2, weight: 7 } })
  })

  it('that takes seconds per write holds up nothing that does not ask for it', async () => {
    a.engine.line.delayMs = 1_200
    await cluster.clock.pass(3_000)
    expect(await register(a.driver, [command()], PEER)).toMatchObject([{ durability: 'disk' }])
    for (let at = 0; at < 30; at++) {
      await register(a.driver, [command({ id: `i${at}` })], PEER)
      await cluster.clock.pass(100)
    }
    await cluster.beating(20_000, a)
    expect([state(b), state(b, 'i29'), unpublished(a)]).toEqual(['up', 'up', 0])
    expect(a.member.cluster().engine.state).toBe('connected')
  })

  it('whose answer does not come is asked again soon: the member may have lost its leader', async () => {
    a.engine.line.losesAnswers = true
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(100)
    a.engine.line.losesAnswers = false
    await register(a.driver, [command({ id: 'b' })], PEER)
    await cluster.clock.pass(1_900)
    expect([state(b), state(b, 'b'), unpublished(a)]).toEqual(['up', 'up', 0])
  })

  it('that is full takes nothing, says so, and gets everything when there is room', async () => {
    cluster.store.full = true
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(2_000)
    const answered = register(a.driver, [command({ id: 'static', liveness: 'static' })], PEER)
    expect(await answered).toMatchObject([{ durability: 'disk' }])
    await cluster.beating(4_000, a)
    expect(a.member.cluster()).toMatchObject({ engine: { state: 'connected', alarms: ['NOSPACE'] } })
    // Peers hear of it all the same.
    expect([state(b), state(b, 'static'), unpublished(a)]).toEqual(['up', 'up', 2])
    cluster.store.full = false
    await cluster.beating(12_000, a)
    expect([state(b), state(b, 'static'), unpublished(a)]).toEqual(['up', 'up', 0])
    expect(a.member.cluster().engine.alarms).toBeUndefined()
  })

  it('that was full is told of once, and once there is room', async () => {
    const lines: string[] = []
    const tell = (_: object, message: string): void => {
      if (message.includes('takes')) lines.push(message)
    }
    const c = cluster.start('c', [], { logger: { ...NO_LOGGER, error: tell, info: tell } })
    await cluster.joined(c)
    cluster.store.full = true
    await register(c.driver, [command()], PEER)
    await cluster.beating(20_000, c)
    expect(lines).toEqual(['the engine takes no writes'])
    cluster.store.full = false
    await cluster.beating(20_000, c)
    expect(lines).toEqual(['the engine takes no writes', 'the engine takes writes again'])
  })

  it('that ends every watch soon is loaded less and less often', async () => {
    const load = vi.spyOn(a.engine, 'load')
    vi.spyOn(a.engine, 'watch').mockImplementation((_, watcher) => {
      const ends = new EngineError('compacted', 'that is gone')
      return { close: cluster.clock.setTimer(100, () => watcher.ended(ends)) }
    })
    a.engine.line.cut()
    await register(b.driver, [command()], PEER)
    await cluster.clock.pass(6_000)
    cluster.store.compact()
    a.engine.line.heal()
    await cluster.clock.pass(60_000)
    expect(load.mock.calls.length).toBeGreaterThan(5)
    expect(load.mock.calls.length).toBeLessThan(30)
  })

  it('that loses answers gets nothing twice', async () => {
    a.engine.line.losesAnswers = true
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(1_500)
    a.engine.line.losesAnswers = false
    await cluster.beating(15_000, a)
    expect([state(b), unpublished(a)]).toEqual(['up', 0])
    expect(cluster.store.list().filter(({ key }) => key.startsWith('records/'))).toHaveLength(1)
  })

  it('that was compacted while a node was away is loaded anew', async () => {
    await register(a.driver, [command(), command({ id: 'leaves' })], PEER)
    await cluster.beating(1_000, a)
    b.engine.line.cut()
    cluster.board.link(a.node, b.node, false)
    await cluster.beating(6_000, a)
    void a.driver.execute({ kind: 'deregister', refs: [{ ...KEY, id: 'leaves', incarnation: 1 }] }, PEER)
    await register(a.driver, [command({ id: 'new' })], PEER)
    await cluster.beating(1_000, a)
    cluster.store.compact()
    b.engine.line.heal()
    await cluster.beating(12_000, a)
    // Nothing is heard of the new one by then.
    expect([state(b), state(b, 'leaves'), state(b, 'new'), unpublished(b)]).toEqual([
      'up',
      undefined,
      'suspect',
      0,
    ])
  })
})
