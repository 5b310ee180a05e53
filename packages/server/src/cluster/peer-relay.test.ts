/** What an island says to its peers, and what it had better not. */
import { LIVENESS_DEFAULTS } from '@rollcall/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { command, PEER, register } from '../driver/node-driver.fixture.js'
import { KEY, state, TestCluster, type TestNode } from './members.fixture.js'

/** What was deregistered is forgotten while an island is still awaited. */
const liveness = { ...LIVENESS_DEFAULTS, retentionMs: 10_000 }

let cluster: TestCluster
let a: TestNode
let b: TestNode

beforeEach(async () => {
  cluster = new TestCluster()
  a = cluster.start('a', [], { liveness })
  b = cluster.start('b', [], { liveness })
  await cluster.joined(a, b)
})

describe('an island that is linked again', () => {
  beforeEach(async () => {
    // Three that fall silent at once look like an island that is deaf: none of them goes down there.
    await register(a.driver, [command(), command({ id: 'b' }), command({ id: 'c' })], PEER)
    await cluster.beating(2_000, a)
    a.engine.line.cut()
    cluster.board.link(a.node, b.node, false)
    await cluster.beating(20_000, b)
  })

  it('brings back nothing that left meanwhile, and was forgotten', async () => {
    void b.driver.execute({ kind: 'deregister', refs: [{ ...KEY, incarnation: 1 }] }, PEER)
    await cluster.clock.pass(25_000)
    expect([state(a), b.driver.inspect((node) => node.directory.entry(KEY)?.state)]).toEqual([
      'suspect',
      undefined,
    ])
    cluster.board.link(a.node, b.node, true)
    for (let ms = 0; ms < 5_000; ms += 100) {
      await cluster.clock.pass(100)
      expect(state(b)).toBeUndefined()
    }
  })

  it('tells of what it hears itself', async () => {
    await register(a.driver, [command({ id: 'new' })], PEER)
    await cluster.clock.pass(5_000)
    expect(state(b, 'new')).toBeUndefined()
    cluster.board.link(a.node, b.node, true)
    await cluster.clock.pass(100)
    expect(state(b, 'new')).toBe('up')
  })
})

describe('an island whose peer takes nothing for a while', () => {
  it('says it again, whether anything happens or not', async () => {
    a.engine.line.cut()
    await cluster.clock.pass(5_000)
    cluster.board.busy.add(b.node)
    await register(a.driver, [command()], PEER)
    await cluster.clock.pass(1_000)
    expect(state(b)).toBeUndefined()
    cluster.board.busy.clear()
    await cluster.clock.pass(500)
    expect(state(b)).toBe('up')
  })
})
