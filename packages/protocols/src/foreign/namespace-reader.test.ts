/** A copy of a namespace is what is listed, also where the feed has forgotten what happened meanwhile. */
import { ANONYMOUS, type InstanceKey, NODE_DEFAULTS, type Offer, Queries, RegistryNode } from '@rollcall/core'
import { HandClock, settle } from '@rollcall/testkit/time'
import { expect, it } from 'vitest'
import { NamespaceReader } from './namespace-reader.js'

function setUp(historyBytesMax: number): {
  readonly clock: HandClock
  readonly reader: NamespaceReader
  readonly copy: Map<string, Offer>
  readonly settled: () => number
  /** The most instances that one turn told of. */
  readonly worst: () => number
  readonly register: (from: number, to: number) => void
  readonly deregister: (from: number, to: number) => void
} {
  const clock = new HandClock()
  const node = new RegistryNode(
    0,
    { ...NODE_DEFAULTS, nodeId: 'node-1', historyBytesMax },
    { persist: () => undefined, probe: () => undefined, wallNow: () => clock.wallNow() },
  )
  const read = new Queries(node, () => clock.now())
  const copy = new Map<string, Offer>()
  let settledTimes = 0
  const nameOf = ({ service, id }: InstanceKey): string => `${service}/${id}`
  let puts = 0
  let worst = 0
  const setTimer = (ms: number, run: () => void): (() => void) =>
    clock.setTimer(ms, () => {
      const before = puts
      run()
      worst = Math.max(worst, puts - before)
    })
  const reader = new NamespaceReader({ clock: { setTimer }, read: () => read }, 'default', {
    reset: () => copy.clear(),
    put(key, offer) {
      puts++
      copy.set(nameOf(key), offer)
    },
    remove: (key) => copy.delete(nameOf(key)),
    settled() {
      settledTimes++
      return []
    },
  })
  const keys = (from: number, to: number): InstanceKey[] =>
    Array.from({ length: to - from }, (_, at) => ({
      namespace: 'default',
      service: `s${(from + at) % 3}`,
      group: 'default',
      id: `i${from + at}`,
    }))
  const step = { caller: { principal: ANONYMOUS }, now: 0, wallNow: 1 }
  const rest = { host: '10.0.0.1', port: 1, weight: 1, metadata: {}, intent: 'up', leaseMs: 60_000 } as const
  return {
    clock,
    reader,
    copy,
    settled: () => settledTimes,
    worst: () => worst,
    register(from, to) {
      const items = keys(from, to).map((key) => ({ ...key, ...rest, liveness: 'static' as const }))
      node.execute({ kind: 'register', items }, step)
    },
    deregister(from, to) {
      node.execute({ kind: 'deregister', refs: keys(from, to) }, step)
    },
  }
}

it('follows what comes and goes, at once where little changed', () => {
  const { reader, copy, settled, register, deregister } = setUp(1_048_576)
  register(0, 5)
  expect(reader.current()).toBeUndefined()
  expect([...copy.keys()].toSorted()).toEqual(['s0/i0', 's0/i3', 's1/i1', 's1/i4', 's2/i2'])
  deregister(0, 4)
  register(7, 8)
  expect(reader.current()).toBeUndefined()
  expect([[...copy.keys()].toSorted(), settled()]).toEqual([['s1/i4', 's1/i7'], 2])
})

it('lists everything anew where the feed has forgotten: what left meanwhile is gone', () => {
  const { reader, copy, register, deregister } = setUp(4_096)
  register(0, 100)
  void reader.current()
  expect(copy.size).toBe(100)
  deregister(0, 90)
  register(200, 210)
  expect(reader.current()).toBeUndefined()
  expect(copy.size).toBe(20)
})

it('takes turns for what is long; those who ask meanwhile wait for the same, and miss nothing of what changes', async () => {
  const { clock, reader, copy, register, deregister } = setUp(1_048_576)
  register(0, 1_000)
  const reading = reader.current()
  expect([reading instanceof Promise, reader.current() === reading]).toEqual([true, true])
  deregister(0, 500)
  register(2_000, 2_100)
  clock.advance()
  await reading
  await settle()
  expect(copy.size).toBe(600)
})

it('tells of a bounded number of changes in one turn, also of those that came at once', async () => {
  const { clock, reader, copy, worst, register } = setUp(1_048_576)
  register(0, 1)
  void reader.current()
  register(1, 2_001)
  const reading = reader.current()
  clock.advance()
  await reading
  expect([copy.size, worst() > 0, worst() <= 200]).toEqual([2_001, true, true])
})
