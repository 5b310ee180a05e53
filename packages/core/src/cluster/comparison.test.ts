/** Memory and engine are compared in turns, and what changes between them is no difference. */
import { expect, it } from 'vitest'
import { ref } from '../simulated-node.fixture.js'
import { compareWithEngine } from './comparison.js'
import { JoinedNode, settle, Store } from './store.fixture.js'

it('compares a bounded part of many keys in each turn', () => {
  const store = new Store()
  const node = new JoinedNode(store, 'node-a')
  node.load('new')
  for (const id of ['known', 'vanishes', 'changes']) node.sim.register({ id, incarnation: 5, rev: 1 })
  settle(node)
  const keys = new Map([...store.keys].map(([key, { revision }]) => [key, revision]))
  keys.delete('records/default/orders/default/vanishes')
  for (let index = 0; index < 12_000; index++) keys.set(`records/default/orders/default/n${index}`, 1)
  const { directory } = node.sim.node
  const looks = compareWithEngine(keys, store.revision, { directory, replica: node.joined.replica }, 0)
  expect([looks.next(0).done, looks.next(0).done]).toEqual([false, false])
  // Between two turns.
  node.sim.register({ id: 'changes', incarnation: 5, rev: 2, weight: 7 })
  settle(node)
  const { done, value } = looks.next(node.sim.now)
  expect([done, value?.read.length, value?.lost]).toEqual([true, 12_000, 1])
  expect(directory.entry(ref('vanishes'))?.revision).toBe(0)
  expect(node.unpublished).toBe(1)
})
