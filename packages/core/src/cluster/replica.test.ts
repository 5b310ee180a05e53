/** What a node takes from the engine, what it publishes, and what absence there means. */
import fc from 'fast-check'
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

it('looks at a bounded part of memory in each turn when a load ends', () => {
  const node = new JoinedNode(store, 'node-c')
  for (let index = 0; index < 5_500; index++) node.sim.register({ id: `n${index}` })
  const { replica } = node.joined
  const load = replica.load('new')
  for (const each of [...replica.backlog.all()]) replica.backlog.settled(each)
  expect(load.end(0)).toBe(false)
  expect(node.unpublished).toBe(5_000)
  // Between two turns.
  node.sim.deregister('n0')
  node.sim.register({ id: 'late' })
  expect(load.end(0)).toBe(true)
  expect(node.unpublished).toBe(5_501)
})

describe('what is accepted here', () => {
  it('is unpublished until the engine has it, and then costs no write more', () => {
    a.sim.register({ id: 'a' })
    expect(a.unpublished).toBe(1)
    expect(a.publish()).toBe(1)
    expect(a.unpublished).toBe(0)
    a.hear()
    a.sim.beat('a')
    a.sim.register({ id: 'a' })
    expect(a.publish()).toBe(0)
    expect(store.revision).toBe(1)
    expect(store.only()).toMatchObject({
      key: KEY,
      value: { id: 'a', verdict: { node: 'node-a', claim: 1 } },
    })
  })

  it('is told when it is published, at once where it is already', () => {
    const done: string[] = []
    a.sim.register({ id: 'a' })
    const { replica } = a.joined
    const [record] = [a.sim.record('a')]
    replica.backlog.wait(replica.published([{ kind: 'record', record: record! }]), () => done.push('first'))
    expect(done).toEqual([])
    a.publish()
    replica.backlog.wait(replica.published([{ kind: 'record', record: record! }]), () => done.push('then'))
    expect(done).toEqual(['first', 'then'])
  })

  it('goes in batches of what the engine takes at once', () => {
    for (let index = 0; index < 300; index++) a.sim.register({ id: `i${index}` })
    expect([a.publish(), a.publish(), a.publish(), a.publish()]).toEqual([127, 127, 46, 0])
    const metadata = { text: 'x'.repeat(8_000) }
    for (let index = 0; index < 100; index++) b.sim.register({ id: `m${index}`, metadata })
    const first = b.publish()
    expect(first * 8_000 * 3).toBeLessThan(1_048_576)
    expect(first).toBeGreaterThan(30)
  })

  it('that changes while it is under way is published again', () => {
    a.sim.register({ id: 'a', incarnation: 5, rev: 1 })
    const first = a.joined.publications.next(a.sim.now)!
    a.sim.register({ id: 'a', incarnation: 5, rev: 2, port: 4_000 })
    expect(a.joined.publications.next(a.sim.now)).toBeUndefined()
    a.joined.publications.written(first, store.write(first.writes), a.sim.now)
    expect(a.unpublished).toBe(1)
    settle(a, b)
    expect(b.sim.record('a')?.content).toMatchObject({ rev: 2, port: 4_000 })
  })

  it('stays known where the answer that it had vanished comes after it was written again', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    a.sim.done({ kind: 'deregister', refs: [{ ...ref('a'), incarnation: 5 }] })
    const late = a.joined.publications.next(a.sim.now)!
    store.delete(KEY)
    const outcomes = store.write(late.writes)
    b.sim.done({ kind: 'deregister', refs: [{ ...ref('a'), incarnation: 5 }] })
    settle(b)
    a.hear()
    a.joined.publications.written(late, outcomes, a.sim.now)
    expect(a.sim.record('a')?.content.intent).toBe('gone')
    expect([a.unpublished, a.sim.node.directory.entry(ref('a'))?.revision]).toEqual([0, store.revision])
  })

  it('is not left to another node for longer than it stays as that one told it', () => {
    b.sim.register({ id: 'a', incarnation: 5 })
    a.sim.node.learn([{ kind: 'record', record: b.sim.record('a')! }], a.sim.now)
    const { backlog } = a.joined.replica
    for (const item of backlog.all()) backlog.leave(item, a.sim.now + 2_000)
    expect(a.publish()).toBe(0)
    a.sim.done({ kind: 'deregister', refs: [{ ...ref('a'), incarnation: 5 }] })
    expect(a.publish()).toBe(1)
    expect(store.only().value).toMatchObject({ content: { intent: 'gone' } })
  })

  it('is tried again where it is not known what became of it, and an answer that was lost does no harm', () => {
    a.sim.register({ id: 'a' })
    const lost = a.joined.publications.next(a.sim.now)!
    store.write(lost.writes)
    a.joined.publications.failed(lost)
    expect(settle(a, b)).toBe(0)
    expect([a.unpublished, store.revision]).toEqual([0, 1])
  })
})

describe('a conflict', () => {
  it('is merged and written again, and holds up nothing else', () => {
    a.sim.register({ id: 'a', incarnation: 5, rev: 1 })
    settle(a, b)
    a.sim.register({ id: 'a', incarnation: 5, rev: 2, weight: 7 })
    b.sim.done({ kind: 'override', refs: [ref('a')], drain: true, by: 'me', why: 'test' })
    b.sim.register({ id: 'b' })
    b.publish()
    expect(a.publish()).toBe(1)
    expect(a.unpublished).toBe(1)
    settle(a, b)
    for (const { sim } of [a, b])
      expect(sim.record('a')).toMatchObject({
        content: { rev: 2, weight: 7 },
        override: { value: { drain: true } },
      })
    expect(a.sim.record('a')).toEqual(b.sim.record('a'))
  })

  it('over a key that vanished meanwhile is a key that is made anew', () => {
    a.sim.register({ id: 'a', incarnation: 5, rev: 1 })
    settle(a, b)
    store.delete(KEY)
    a.sim.register({ id: 'a', incarnation: 5, rev: 2 })
    settle(a, b)
    expect(store.only()).toMatchObject({ value: { content: { rev: 2 } } })
  })
})

describe('what is deregistered', () => {
  it('is kept until the engine has it and for as long as it does, whatever the retention is (G4, M7, M9)', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    a.sim.deregister('a', 5)
    a.sim.run(3 * 3_600_000)
    expect(a.sim.record('a')?.content.intent).toBe('gone')
    settle(a, b)
    expect(store.only()).toMatchObject({ ttlMs: 3_600_000 })
    b.sim.run(3 * 3_600_000)
    expect(b.sim.record('a')?.content.intent).toBe('gone')
    store.expire()
    expect(settle(a, b)).toBe(0)
    expect([a.sim.record('a'), b.sim.record('a')]).toEqual([undefined, undefined])
  })

  it('and never known is told to the others for a short time', () => {
    a.sim.deregister('a', 5)
    settle(a, b)
    expect(store.only()).toMatchObject({ ttlMs: 30_000 })
    expect(b.sim.register({ id: 'a', incarnation: 5 })).toMatchObject({ ok: false })
  })

  it('stays hidden where the engine held it while this node was away, and is forgotten here too', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    b.sim.deregister('a', 5)
    settle(b)
    store.expire()
    a.sim.run(20_000)
    a.load('known')
    expect([a.sim.shown('a'), a.sim.record('a'), a.unpublished]).toEqual([undefined, undefined, 0])
  })

  it('here while the engine could not be reached is published afterwards (M6)', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    a.sim.deregister('a', 5)
    const again = a.restarted('node-a2')
    again.load('known')
    settle(again, b)
    expect(b.sim.shown('a')).toBeUndefined()
  })
})

describe('what the engine does not hold', () => {
  it('is published whole under a new history', () => {
    a.sim.register({ id: 'a' })
    settle(a, b)
    store.wipe()
    b.load('new')
    expect(b.sim.shown('a')).toBe('up')
    settle(b)
    expect(store.only()).toMatchObject({ key: KEY })
    a.load('new')
    expect(settle(a, b)).toBe(0)
  })

  it('leaves the list where the journal had it and the history is known, and comes back when it registers (M8)', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    const again = a.restarted('node-a2')
    again.load('known')
    expect([again.sim.shown('a'), again.unpublished]).toEqual([undefined, 0])
    again.sim.register({ id: 'a', incarnation: 5 })
    expect([again.sim.shown('a'), again.unpublished]).toEqual(['up', 1])
  })

  it('is published where this boot heard it during the loss of the engine', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    a.sim.register({ id: 'still', incarnation: 5, liveness: 'static' })
    a.sim.node.fare({ island: true, stale: false }, a.sim.now)
    a.sim.run(60_000)
    a.load('known')
    settle(a, b)
    expect([b.sim.shown('a')?.split(' ')[0], b.sim.shown('still')]).toEqual(['suspect', 'up'])
  })

  it('is written again where it vanishes before the eyes of this node', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    settle(a, b)
    store.delete(KEY)
    settle(a, b)
    expect([a.sim.shown('a'), b.sim.shown('a')]).toEqual(['up', 'up'])
    expect(store.only()).toMatchObject({ key: KEY })
  })

  it('keeps an override that stands, also of what is gone', () => {
    a.sim.register({ id: 'a', incarnation: 5 })
    a.sim.done({ kind: 'override', refs: [ref('a')], disable: true, by: 'me', why: 'test' })
    a.sim.deregister('a', 5)
    settle(a, b)
    expect(store.only().ttlMs).toBeUndefined()
    store.delete(KEY)
    settle(a, b)
    expect(store.only()).toMatchObject({ value: { override: { value: { disable: true } } } })
  })
})

describe('declarations', () => {
  it('are one truth, and are forgotten when the engine lets go of what was taken back', () => {
    a.sim.done({ kind: 'freeze', namespace: 'default', by: 'me', why: 'test' })
    a.sim.done({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['x'] },
    })
    settle(a, b)
    expect(b.sim.read.serviceSettings('default', 'orders')).toEqual({ groups: ['x'] })
    expect(b.sim.read.freezes()).toHaveLength(1)
    b.sim.done({ kind: 'unfreeze', namespace: 'default', by: 'me', why: 'test' })
    settle(a, b)
    expect(a.sim.read.freezes()).toHaveLength(0)
    for (const { sim } of [a, b]) sim.run(2 * 3_600_000)
    expect(a.sim.node.directory.declaration('freeze/default')).toBeDefined()
    store.expire()
    expect(settle(a, b)).toBe(0)
    expect(a.sim.node.directory.declaration('freeze/default')).toBeUndefined()
    expect(store.keys.size).toBe(1)
  })
})

describe('any order of changes, publications and deliveries', () => {
  const step = fc.record({
    node: fc.nat(2),
    id: fc.constantFrom('a', 'b'),
    incarnation: fc.integer({ min: 1, max: 3 }),
    does: fc.constantFrom(
      'register',
      'deregister',
      'drain',
      'clear',
      'publish',
      'hear',
      'lose',
      'wait',
      'restart',
      'reload',
      'expire',
    ),
  })

  it('ends with all nodes and the engine agreeing, and nothing left to write', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const shared = new Store()
        const nodes = ['n0', 'n1', 'n2'].map((id) => new JoinedNode(shared, id))
        for (const node of nodes) node.load('new')
        let boots = 0
        for (const { node: index, id, incarnation, does } of steps) {
          const node = nodes[index]!
          const { sim } = node
          if (does === 'register') sim.register({ id, incarnation })
          else if (does === 'deregister') sim.deregister(id, incarnation)
          else if (does === 'drain')
            sim.execute({ kind: 'override', refs: [ref(id)], drain: true, by: 'me', why: 'x' })
          else if (does === 'clear')
            sim.execute({ kind: 'clearOverrides', refs: [ref(id)], by: 'me', why: 'x' })
          else if (does === 'publish') node.publish()
          else if (does === 'hear') node.hear(3)
          else if (does === 'wait') sim.run(5_000)
          else if (does === 'lose') {
            const lost = node.joined.publications.next(sim.now)
            if (lost === undefined) continue
            if (incarnation > 1) shared.write(lost.writes)
            node.joined.publications.failed(lost)
          } else if (does === 'restart') {
            nodes[index] = node.restarted(`n${index}-${++boots}`)
            nodes[index].load('known')
          } else if (does === 'reload') node.load('known')
          else shared.expire()
        }
        settle(...nodes)
        const [first, ...others] = nodes
        for (const id of ['a', 'b']) {
          const stored = shared.keys.get(`records/default/orders/default/${id}`)
          const record = first!.sim.record(id)
          for (const other of others) expect(other.sim.record(id)).toEqual(record)
          expect(record).toEqual(stored && JSON.parse(stored.value))
        }
        expect(settle(...nodes)).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
