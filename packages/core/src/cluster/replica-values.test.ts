/** What a node does with values in the engine that another release wrote, or that are garbage. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ref } from '../simulated-node.fixture.js'
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

describe('values of others', () => {
  it('keep members that this release does not know', () => {
    a.sim.register({ id: 'a', incarnation: 5, rev: 1 })
    settle(a, b)
    const { value, revision } = store.keys.get(KEY)!
    const record = JSON.parse(value) as { content: object; later?: number }
    const newer = JSON.stringify({ ...record, content: { ...record.content, rev: 2, colour: 'blue' } })
    store.write([{ key: KEY, value: newer, expected: revision }])
    settle(a, b)
    b.sim.done({ kind: 'override', refs: [ref('a')], drain: true, by: 'me', why: 'test' })
    settle(a, b)
    expect(store.only()).toMatchObject({
      value: { content: { colour: 'blue' }, override: { value: { drain: true } } },
    })
  })

  it('with a word of a later release stand as they are, and what changes here reaches the node that can read them', () => {
    a.sim.register({ id: 'a', incarnation: 5, rev: 1 })
    settle(a, b)
    const { value, revision } = store.keys.get(KEY)!
    const record = JSON.parse(value) as { content: object }
    const later = JSON.stringify({ ...record, content: { ...record.content, rev: 2, liveness: 'gossip' } })
    store.write([{ key: KEY, value: later, expected: revision }])
    expect(settle(a, b)).toBe(0)
    expect(store.keys.get(KEY)?.value).toBe(later)
    b.sim.done({ kind: 'override', refs: [ref('a')], drain: true, by: 'me', why: 'test' })
    expect(settle(a, b)).toBe(1)
    expect(store.only()).toMatchObject({ value: { override: { value: { drain: true } } } })
  })

  it('that are none are written anew where this node knows better, and otherwise left alone', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    store.write([{ key: KEY, value: '{"id":"a"}', expected: store.revision }])
    store.write([{ key: 'records/default/orders/default/b', value: 'garbage', expected: 0 }])
    store.write([{ key: 'something/else', value: 'garbage', expected: 0 }])
    settle(a, b)
    expect(store.keys.get(KEY)?.value).toContain('"incarnation":5')
    expect(store.keys.get('records/default/orders/default/b')?.value).toBe('garbage')
  })
})
