/** What a node publishes of what its journal had and the engine has not. */
import { beforeEach, describe, expect, it } from 'vitest'
import { JoinedNode, settle, Store } from './store.fixture.js'

const KEY = 'records/default/orders/default/a'

let store: Store
let a: JoinedNode
let b: JoinedNode

beforeEach(() => {
  store = new Store()
  a = new JoinedNode(store, 'node-a')
  b = new JoinedNode(store, 'node-b')
  a.load('new')
  b.load('new')
})

describe('a journal that knows more than the engine', () => {
  /** The journal of a node that took a later incarnation with it, beside an engine that knows the one before. */
  function restarted(): JoinedNode {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    a.sim.register({ id: 'a', incarnation: 6 })
    const again = a.restarted('node-a2')
    again.load('known')
    return again
  }

  function connect(node: JoinedNode, island = false): void {
    node.sim.node.fare({ stale: false, island }, node.sim.now)
  }

  it('of a later incarnation: published when others have had their time, and doubted until it is heard', () => {
    const again = restarted()
    connect(again)
    expect([settle(again, b), again.sim.shown('a')]).toEqual([0, 'up'])
    again.sim.run(6_500)
    expect(again.sim.shown('a')).toBe('suspect unheard')
    settle(again, b)
    expect(b.sim.record('a')).toMatchObject({ incarnation: 6, verdict: { value: 'suspect' } })
    again.sim.beat('a', 6)
    settle(again, b)
    expect(b.sim.shown('a')).toBe('up')
  })

  it('of a later incarnation is not doubted where another node publishes it meanwhile', () => {
    const again = restarted()
    connect(again)
    b.sim.register({ id: 'a', incarnation: 6 })
    settle(b, again)
    again.sim.run(6_500)
    settle(b, again)
    expect([again.sim.shown('a'), b.sim.shown('a'), again.unpublished]).toEqual(['up', 'up', 0])
  })

  it('of a later incarnation is published as soon as it is heard', () => {
    const again = restarted()
    connect(again)
    again.sim.beat('a', 6)
    settle(again, b)
    expect(b.sim.shown('a')).toBe('up')
  })

  it('of a later incarnation is kept on an island: the time of others begins with the engine', () => {
    const again = restarted()
    connect(again, true)
    again.sim.run(20_000)
    connect(again)
    expect([settle(again, b), again.sim.shown('a')]).toEqual([0, 'up'])
    again.sim.run(6_500)
    expect(again.sim.shown('a')).toBe('suspect unheard')
  })

  it('of a later incarnation is judged here from then on, and does not stay suspect for ever', () => {
    const again = restarted()
    connect(again)
    again.sim.run(15 * 60_000)
    expect(again.sim.record('a')?.verdict).toMatchObject({ value: 'expired', node: 'node-a2' })
  })

  it('of a later incarnation is doubted also where the first attempt to load broke', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    a.sim.register({ id: 'a', incarnation: 6 })
    const again = a.restarted('node-a2')
    const { value, revision } = store.keys.get(KEY)!
    again.joined.replica.load('known').take({ key: KEY, value, revision }, again.sim.now)
    again.load('known')
    connect(again)
    again.sim.run(6_500)
    expect(again.sim.shown('a')).toBe('suspect unheard')
  })

  it('of the same incarnation: merged and published as it is (M4)', () => {
    a.sim.register({ id: 'a', incarnation: 5, rev: 1 })
    settle(a, b)
    a.sim.register({ id: 'a', incarnation: 5, rev: 2, weight: 7 })
    const again = a.restarted('node-a2')
    again.load('known')
    settle(again, b)
    expect(b.sim.record('a')?.content).toMatchObject({ rev: 2, weight: 7 })
  })
})
