/** What is shown and called of several clusters. */
import type { Instance } from '@rollcall/wire'
import { signOf } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { ListChange, MergeMode } from '../machine/events.js'
import { delta, instance, view, Stage } from './stage.fixture.js'

const KEY = 'default\norders'
const NAMES = [{ namespace: 'default', service: 'orders' }]
const A = instance('a')
const B = instance('b')
const C = instance('c')
const SNAPSHOTS = { east: { snapshots: true }, west: { snapshots: true } }
const stored = (list: readonly Instance[], ageMs = 60_000) => ({ sign: signOf(list), instances: list, ageMs })

function watching(merge: MergeMode = 'union', ...rest: Parameters<typeof Stage.over>): Stage {
  const stage = Stage.over(...rest)
  stage.do({ type: 'start' }, { type: 'watch', names: NAMES, merge })
  return stage
}

/** Both clusters connected; what they list. */
function listing(merge: MergeMode, east: readonly Instance[], west: readonly Instance[]): Stage {
  const stage = watching(merge)
  stage.meet('east', 'west')
  stage.says('east', view(east))
  stage.says('west', view(west))
  return stage
}

const ready = (token = 1, timeoutMs = 5_000) => ({ type: 'ready', token, key: KEY, timeoutMs }) as const
const shown = (stage: Stage): ListChange | undefined => stage.all('list').at(-1)?.change
const listed = (stage: Stage): string[] => (shown(stage)?.instances ?? []).map(({ id }) => id).sort()
const failed = (item: Instance) => ({ type: 'failed', key: KEY, instance: item }) as const
const succeeded = (item: Instance) => ({ type: 'succeeded', key: KEY, instance: item }) as const
const trying = (item: Instance) => ({ type: 'trying', key: KEY, instance: item }) as const

describe('a union', () => {
  it('is of all, with one list in one order and a sign that follows it', () => {
    const stage = listing('union', [A, B], [B, C])
    expect(listed(stage)).toEqual(['a', 'b', 'c'])
    expect(stage.callable).toEqual(['a', 'b', 'c'])
    expect(shown(stage)).toMatchObject({ source: 'registry', sign: signOf([A, B, C]) })
    stage.says('east', delta([A, B], [A]))
    expect(listed(stage)).toEqual(['a', 'b', 'c'])
    stage.says('west', delta([B, C], [C]))
    expect(shown(stage)).toMatchObject({
      type: 'delta',
      sign: signOf([A, C]),
      upserts: [],
      removes: [{ instance: B, reason: 'deregistered' }],
    })
  })

  it('goes on with what a cluster said when it is gone', () => {
    const stage = listing('union', [A], [B])
    stage.clear()
    stage.loses('east')
    stage.live(60_000, 'west')
    expect(stage.all('list')).toEqual([])
    expect(stage.all('candidates')).toEqual([])
    expect(stage.machine.status(stage.now)).toMatchObject({
      connection: { state: 'connected', cluster: 'west' },
      clusters: [
        { name: 'east', connection: { state: 'connecting' } },
        { name: 'west', connection: { state: 'connected' } },
      ],
    })
    expect(stage.machine.serviceStatus(stage.now, KEY)?.clusters).toMatchObject([
      { cluster: 'east', source: 'registry', live: false, used: true, ageMs: 60_000, instances: 1 },
      { cluster: 'west', source: 'registry', live: true, used: true, ageMs: 0, instances: 1 },
    ])
  })

  it.each([[['east']], [['east', 'west']]])(
    'of %j says how old it is: 0 while live, then whole ms',
    (names) => {
      const stage = Stage.over(Object.fromEntries(names.map((name) => [name, {}])))
      stage.do({ type: 'start' }, { type: 'watch', names: NAMES })
      stage.meet(...names)
      for (const name of names) stage.says(name, view([A]))
      const ages = (): unknown[] => {
        const status = stage.machine.serviceStatus(stage.now, KEY)
        const origins = stage.machine.origins(stage.now, KEY, A)
        return [status?.ageMs, ...[...(status?.clusters ?? []), ...origins].map(({ ageMs }) => ageMs)]
      }
      stage.now += 4_029.631883
      expect(ages()).toEqual(Array.from({ length: 1 + 2 * names.length }, () => 0))
      for (const name of names) stage.loses(name)
      stage.now += 250.631883
      expect(ages()).toEqual(Array.from({ length: 1 + 2 * names.length }, () => 251))
    },
  )

  it('believes the cluster that still hears of an instance when the other one loses its connection', () => {
    const down = instance('a', { state: 'down' })
    const stage = listing('union', [A], [down])
    expect(stage.callable).toEqual(['a'])
    stage.loses('east')
    // The node in the west is the only one that knows anything now, and it keeps its last one as a last resort.
    expect(shown(stage)?.instances).toEqual([down])
    stage.pass(200)
    stage.meet('east')
    stage.says('east', { type: 'watching', req: stage.told('east', 'watch').at(-1)!.req ?? 0 })
    expect(shown(stage)?.instances).toEqual([A])
  })

  it('knows where an instance comes from', () => {
    const stage = listing('union', [A], [A, B])
    stage.loses('east')
    expect(stage.machine.origins(stage.now, KEY, A)).toMatchObject([
      { cluster: 'west', source: 'registry', live: true, ageMs: 0 },
      { cluster: 'east', source: 'registry', live: false },
    ])
    expect(stage.machine.origins(stage.now, KEY, C)).toEqual([])
    expect(stage.machine.origins(stage.now, 'default\nother', A)).toEqual([])
  })

  it('has what said goodbye to one, and is listed only by one that is away, as a last resort', () => {
    const stage = listing('union', [A, B], [A, C])
    stage.loses('west')
    stage.says('east', delta([A, B], [B]))
    expect(stage.callable).toEqual(['b', 'c'])
    expect(listed(stage)).toEqual(['b', 'c'])
    stage.pass(200)
    stage.meet('west')
    stage.says('west', { type: 'watching', req: stage.told('west', 'watch').at(-1)!.req ?? 0 })
    expect(stage.callable).toEqual(['a', 'b', 'c'])
  })

  it('leaves a provider alone that moves from one cluster to another, also when that one is lost later', () => {
    const stage = listing('union', [A], [A])
    stage.says('east', delta([A], []))
    stage.loses('west')
    expect(stage.callable).toEqual(['a'])
  })

  it('prefers what is well in any cluster, and has each cluster guard its own', () => {
    const [x, y] = ['x', 'y'].map((id) => instance(id)) as [Instance, Instance]
    const stage = listing('union', [x, y], [instance('b', { state: 'suspect' })])
    expect(stage.callable).toEqual(['x', 'y'])
    stage.says('east', delta([x, y], [], 'expired'))
    expect(stage.callable).toEqual(['b'])
    expect(stage.machine.serviceStatus(stage.now, KEY)).toMatchObject({
      kept: 2,
      clusters: [{ cluster: 'east', kept: 2 }, { kept: 0 }],
    })
    stage.says('west', delta([instance('b', { state: 'suspect' })], []))
    expect(stage.callable).toEqual(['x', 'y'])
    stage.do(failed(x))
    expect(stage.callable).toEqual(['y'])
  })

  it('has one view of what failed, of which never more than half are left out', () => {
    const stage = listing('union', [A], [B])
    stage.do(failed(A))
    expect(stage.callable).toEqual(['b'])
    stage.do(failed(B))
    expect(stage.callable).toHaveLength(1)
    stage.do(succeeded(A), succeeded(B))
    expect(stage.callable).toEqual(['a', 'b'])
    const hinted = ['east', 'west'].map((name) => stage.told(name, 'hint').length)
    expect(hinted).toEqual([1, 1])
  })

  it('gives one call to who failed, when its time is over', () => {
    const stage = listing('union', [A], [B])
    stage.do(failed(A))
    stage.pass(1_000)
    expect(stage.all('candidates').at(-1)?.trials).toEqual([A])
    stage.do(trying(A))
    expect(stage.callable).toEqual(['b'])
    stage.do(succeeded(A))
    expect(stage.callable).toEqual(['a', 'b'])
  })

  it('has static lists as a last resort, also of a cluster that has nothing else', () => {
    const stage = watching('union', { east: {}, old: { urls: [], statics: new Map([[KEY, [C]]]) } })
    expect(stage.callable).toEqual(['c'])
    stage.meet('east')
    stage.says('east', view([A]))
    expect(stage.callable).toEqual(['a'])
    expect(shown(stage)?.source).toBe('registry')
    stage.says('east', delta([A], []))
    expect(stage.callable).toEqual(['c'])
  })
})

describe('readiness of a union', () => {
  it('waits for every cluster that may answer', () => {
    const stage = watching()
    stage.do(ready())
    stage.meet('east', 'west')
    stage.says('west', view([B]))
    expect(stage.callable).toEqual(['b'])
    expect(stage.outcome(1)).toBeUndefined()
    stage.says('east', view([]))
    expect(stage.outcome(1)).toBe('resolve')
    expect(stage.now).toBe(0)
  })

  it('does not wait for one that refuses connections', () => {
    const stage = watching()
    stage.do(ready())
    stage.loses('east')
    stage.meet('west')
    stage.says('west', view([B]))
    expect(stage.outcome(1)).toBe('resolve')
    expect(stage.now).toBe(0)
  })

  it('waits 300 ms for one that swallows everything, and then no more', () => {
    const stage = watching()
    stage.do(ready())
    stage.meet('west')
    stage.says('west', view([B]))
    stage.pass(299)
    expect(stage.outcome(1)).toBeUndefined()
    stage.pass(1)
    expect(stage.outcome(1)).toBe('resolve')
    stage.do({ type: 'watch', names: [{ namespace: 'default', service: 'other' }] })
    stage.do({ type: 'ready', token: 2, key: 'default\nother', timeoutMs: 5_000 })
    stage.says('west', { ...view([]), service: 'other', instances: [A], sign: signOf([A]) })
    expect(stage.outcome(2)).toBe('resolve')
    expect(stage.now).toBe(300)
  })

  it('is had from the snapshot of a cluster that is away, while no other knows an instance', () => {
    const stage = watching('union', SNAPSHOTS)
    stage.do(ready())
    stage.do({ type: 'snapshot', cluster: 'east', key: KEY, stored: stored([A]) })
    stage.do({ type: 'snapshot', cluster: 'west', key: KEY })
    stage.meet('west')
    stage.says('west', view([]))
    stage.pass(299)
    expect(stage.outcome(1)).toBeUndefined()
    stage.pass(1)
    expect(stage.outcome(1)).toBe('resolve')
    expect(stage.callable).toEqual(['a'])
    expect(stage.machine.serviceStatus(stage.now, KEY)).toMatchObject({
      source: 'registry',
      clusters: [
        { cluster: 'east', source: 'snapshot', live: false, ageMs: 60_300 },
        { cluster: 'west', source: 'registry', live: true },
      ],
    })
  })

  it('says why nothing is ready', () => {
    const alone = watching()
    alone.do(ready())
    alone.pass(5_000)
    expect(alone.outcome(1)).toBe('unreachable')

    const untold = watching()
    untold.meet('west')
    untold.do(ready())
    untold.live(5_000, 'west')
    expect(untold.outcome(1)).toBe('timeout')

    const empty = listing('union', [instance('x', { state: 'disabled' })], [])
    empty.do(ready())
    empty.live(5_000, 'east', 'west')
    expect(empty.outcome(1)).toBe('no_instances')
  })

  it('is refused for what is not watched', () => {
    const stage = Stage.over()
    stage.do({ type: 'start' }, ready())
    expect(stage.outcome(1)).toBe('closed')
  })
})

describe('an order of preference', () => {
  it('takes the first while it has anybody, in memory or not', () => {
    const stage = listing('preferred', [A], [B])
    expect(stage.callable).toEqual(['a'])
    expect(listed(stage)).toEqual(['a'])
    stage.loses('east')
    stage.live(60_000, 'west')
    expect(stage.callable).toEqual(['a'])
    expect(stage.machine.serviceStatus(stage.now, KEY)?.clusters).toMatchObject([
      { cluster: 'east', used: true },
      { cluster: 'west', used: false },
    ])
  })

  it('takes the next one at once when the first has none, and returns after ten seconds', () => {
    const stage = listing('preferred', [A], [B])
    stage.says('east', delta([A], []))
    expect(stage.callable).toEqual(['b'])
    expect(shown(stage)).toMatchObject({ type: 'view', removes: [{ instance: A, reason: 'deregistered' }] })
    stage.says('east', delta([], [A]))
    expect(stage.callable).toEqual(['b'])
    stage.live(9_000, 'east', 'west')
    expect(stage.callable).toEqual(['b'])
    stage.live(1_000, 'east', 'west')
    expect(stage.callable).toEqual(['a'])
  })

  it('is not moved by a cluster that flaps', () => {
    const stage = listing('preferred', [A], [B])
    stage.says('east', delta([A], []))
    stage.clear()
    for (let round = 0; round < 10; round += 1) {
      stage.says('east', delta([], [A]))
      stage.pass(1_000)
      stage.says('east', delta([A], []))
      stage.pass(1_000)
    }
    expect(stage.all('candidates')).toEqual([])
    expect(stage.all('list')).toEqual([])
  })

  it('leaves a cluster whose instances all fail, tries them, and returns when half of them answer', () => {
    const list = ['p', 'q', 'r', 's'].map((id) => instance(id))
    const stage = listing('preferred', list, [B])
    for (const item of list.slice(0, 3)) stage.do(failed(item))
    expect(stage.callable).not.toContain('b')
    stage.do(failed(list[3]!))
    expect(stage.callable).toEqual(['b'])
    stage.pass(1_000)
    expect(stage.all('candidates').at(-1)).toMatchObject({ candidates: [B, ...list], trials: list })
    stage.do(trying(list[0]!), succeeded(list[0]!))
    stage.live(20_000, 'east', 'west')
    expect(stage.callable).toContain('b')
    stage.do(trying(list[1]!), succeeded(list[1]!))
    stage.live(10_000, 'east', 'west')
    expect(stage.callable).not.toContain('b')
  })

  it('gives the preferred one 300 ms, and takes its snapshot rather than another cluster', () => {
    const stage = watching('preferred', SNAPSHOTS)
    stage.do({ type: 'snapshot', cluster: 'east', key: KEY, stored: stored([A]) }, ready())
    stage.loses('east')
    stage.meet('west')
    stage.says('west', view([B]))
    expect(stage.callable).toEqual([])
    expect(stage.outcome(1)).toBeUndefined()
    stage.pass(300)
    expect(stage.callable).toEqual(['a'])
    expect(stage.outcome(1)).toBe('resolve')

    const without = watching('preferred', SNAPSHOTS)
    without.do({ type: 'snapshot', cluster: 'east', key: KEY }, ready())
    without.meet('west')
    without.says('west', view([B]))
    without.pass(300)
    expect(without.callable).toEqual(['b'])
    expect(without.outcome(1)).toBe('resolve')
  })

  it('calls the last resorts of all when no cluster has an instance', () => {
    const stage = listing('preferred', [instance('a', { state: 'draining' })], [C])
    expect(stage.callable).toEqual(['c'])
    stage.says('west', delta([C], []))
    expect(stage.callable).toEqual(['a'])
  })

  it('has static lists as a last resort: another cluster that answers is better', () => {
    const statics = new Map([[KEY, [C]]])
    const stage = watching('preferred', { east: { statics }, west: {} })
    stage.loses('east')
    stage.meet('west')
    stage.says('west', view([B]))
    stage.pass(300)
    expect(stage.callable).toEqual(['b'])
    stage.says('west', delta([B], []))
    expect(stage.callable).toEqual(['c'])
  })

  it('is of the clusters named, in that order', () => {
    const stage = Stage.over({ north: {}, east: {}, west: {} })
    stage.do({ type: 'start' })
    stage.do({ type: 'watch', names: NAMES, clusters: ['west', 'east'], merge: 'preferred' })
    stage.meet('north', 'east', 'west')
    expect(stage.told('north', 'watch')).toEqual([])
    stage.says('east', view([A]))
    stage.says('west', view([B]))
    expect(stage.callable).toEqual(['b'])
  })
})

describe('snapshots', () => {
  it('are of each cluster for itself', () => {
    const stage = watching('union', SNAPSHOTS)
    expect(stage.all('loadSnapshot').map(({ cluster }) => cluster)).toEqual(['east', 'west'])
    stage.do({ type: 'snapshot', cluster: 'east', key: KEY, stored: stored([A]) })
    stage.meet('east', 'west')
    expect(stage.told('east', 'watch')[0]?.services[0]?.sign).toBe(signOf([A]))
    expect(stage.told('west', 'watch')[0]?.services[0]).not.toHaveProperty('sign')
    stage.says('east', view([A, B]))
    stage.says('west', view([C]))
    stage.live(2_000, 'east', 'west')
    expect(stage.all('saveSnapshot').map(({ cluster, stored: list }) => [cluster, list.sign])).toEqual([
      ['east', signOf([A, B])],
      ['west', signOf([C])],
    ])
  })
})
