/** The merge of several clusters, as laws and by example. */
import type { Instance, State } from '@rollcall/wire'
import { EMPTY_SIGN } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from './stage.fixture.js'
import type { ClusterList } from '../cluster/events.js'
import type { Part } from './merge.js'
import { merge } from './merge.js'

const STATES: readonly State[] = ['starting', 'up', 'suspect', 'down', 'draining', 'disabled']

function list(given: Partial<ClusterList> = {}): ClusterList {
  const none = { sign: EMPTY_SIGN, instances: [], kept: [], statics: [] }
  return { source: 'registry', live: true, ...none, ...given }
}

function part(
  cluster: string,
  given: Partial<ClusterList> = {},
  left: Iterable<[string, number]> = [],
): Part {
  return { cluster, list: list(given), left: new Map(left) }
}

const STALE = { live: false, confirmedAt: 1_000 }
const SNAPSHOT = { live: false, source: 'snapshot', confirmedAt: -60_000 } as const
const STATIC = { live: false, source: 'static' } as const

/** Who has the last word on `a`. */
function winner(
  ...parts: readonly (readonly [Partial<ClusterList>, Parameters<typeof instance>[1]])[]
): number {
  const merged = merge(
    parts.map(([given, what], index) =>
      part(`c${index}`, { ...given, instances: [instance('a', { ...what, port: 1 + index })] }),
    ),
  )
  return [...merged.instances.values()][0]!.port - 1
}

// Tiny ranges, so that the same id, incarnation and freshness happen often.
const anInstance = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c'),
    state: fc.constantFrom(...STATES),
    incarnation: fc.integer({ min: 1, max: 2 }),
    port: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ id, ...given }) => instance(id, given))
const someInstances = fc.uniqueArray(anInstance, { selector: ({ id }) => id, maxLength: 3 })
const aClusterList = fc
  .record({
    how: fc.constantFrom<Partial<ClusterList>>(
      { live: true },
      STALE,
      { ...STALE, confirmedAt: 2_000 },
      SNAPSHOT,
      STATIC,
    ),
    instances: someInstances,
    kept: someInstances,
  })
  .map(({ how, instances, kept }) => ({ ...how, instances, kept }))
const someLeft = fc.array(fc.tuple(fc.constantFrom('default\na', 'default\nb'), fc.constantFrom(1, 2)), {
  maxLength: 2,
})
const someParts = fc
  .array(fc.tuple(aClusterList, someLeft), { minLength: 1, maxLength: 4 })
  .map((all) => all.map(([given, left], index) => part(`c${index}`, given, given.live === true ? [] : left)))

describe('merging', () => {
  it('does not depend on the order of the clusters', () => {
    fc.assert(
      fc.property(
        someParts.chain((parts) =>
          fc.tuple(fc.constant(parts), fc.shuffledSubarray(parts, { minLength: parts.length })),
        ),
        ([parts, shuffled]) => {
          const [one, other] = [merge(parts), merge(shuffled)]
          expect({ ...other, instances: [...other.instances] }).toEqual({
            ...one,
            instances: [...one.instances],
          })
        },
      ),
    )
  })

  it('loses none: what one cluster lists is listed, or a last resort where another heard it say goodbye', () => {
    fc.assert(
      fc.property(someParts, (parts) => {
        const { instances, kept } = merge(parts)
        const known = new Set([...instances.values(), ...kept].map(({ id }) => id))
        for (const { id } of parts.flatMap((each) => each.list.instances)) expect(known).toContain(id)
      }),
    )
  })

  it('lets silence of one cluster remove none that another one hears', () => {
    fc.assert(
      fc.property(someInstances, someInstances, (hears, doubts) => {
        const up = hears.map((each) => instance(each.id, { state: 'up', port: 1 }))
        const silent = doubts.map((each) =>
          instance(each.id, { state: each.port === 1 ? 'suspect' : 'down', incarnation: each.incarnation }),
        )
        for (const without of [silent, []]) {
          const { instances } = merge([part('east', { instances: up }), part('west', { instances: without })])
          for (const each of up) expect(instances.get(`default\n${each.id}`)).toBe(each)
        }
      }),
    )
  })

  it('is what a cluster says where it is the only one', () => {
    fc.assert(
      fc.property(aClusterList, (given) => {
        const { instances, overlap } = merge([part('c', given)])
        expect([...instances.values()]).toEqual(given.instances)
        expect(overlap).toBe(false)
      }),
    )
  })
})

describe('the last word on one id', () => {
  it('has the fresher answer', () => {
    const up = { state: 'up' as const, incarnation: 9 }
    const down = { state: 'down' as const, incarnation: 1 }
    const order = [{ live: true }, { ...STALE, confirmedAt: 2_000 }, STALE, SNAPSHOT, STATIC]
    for (const [index, better] of order.entries()) {
      for (const worse of order.slice(index + 1)) {
        expect(winner([better, down], [worse, up])).toBe(0)
        expect(winner([worse, up], [better, down])).toBe(1)
      }
    }
  })

  it('has a word before silence, then the higher incarnation, then the more cautious word', () => {
    const at = (
      state: State,
      incarnation = 1,
    ): readonly [Partial<ClusterList>, { state: State; incarnation: number }] => [{}, { state, incarnation }]
    expect(winner(at('up'), at('down', 2))).toBe(0)
    expect(winner(at('suspect', 2), at('starting'))).toBe(1)
    expect(winner(at('up', 2), at('disabled', 1))).toBe(0)
    const words: readonly State[] = ['disabled', 'draining', 'up', 'starting', 'suspect', 'down']
    for (const [index, stronger] of words.entries())
      for (const weaker of words.slice(index + 1)) expect(winner(at(weaker), at(stronger))).toBe(1)
  })
})

describe('last resorts', () => {
  const gone: Instance = instance('a', { state: 'down' })

  it('are kept by the cluster that has the last word', () => {
    const ids = (...parts: readonly Part[]): string[] => merge(parts).kept.map(({ id }) => id)
    expect(ids(part('east', { kept: [gone] }), part('west'))).toEqual(['a'])
    expect(ids(part('east', { kept: [gone], instances: [gone] }), part('west'))).toEqual(['a'])
    const elsewhere = part('west', { instances: [instance('a', { state: 'disabled' })] })
    expect(ids(part('east', { kept: [gone], instances: [gone] }), elsewhere)).toEqual([])
  })

  it('are those who said goodbye to a cluster while the one that lists them is out of reach', () => {
    const lists = { ...STALE, instances: [instance('a'), instance('b', { incarnation: 5 })] }
    const merged = merge([
      part('east'),
      part('west', lists, [
        ['default\na', 1],
        ['default\nb', 4],
      ]),
    ])
    expect([...merged.instances.values()].map(({ id }) => id)).toEqual(['b'])
    expect(merged.kept.map(({ id }) => id)).toEqual(['a'])
  })

  it('are the static lists of all', () => {
    const merged = merge([
      part('east', { statics: [instance('s')] }),
      part('west', { statics: [instance('s'), instance('t')] }),
    ])
    expect(merged.statics.map(({ id }) => id)).toEqual(['s', 't'])
  })
})
