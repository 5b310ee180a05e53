/** Mirrors and their sums. */
import type { Instance } from '@rollcall/wire'
import { EMPTY_SIGN, partOf, signOf } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { delta, instance, view } from '../clusters/stage.fixture.js'
import { Mirror } from './mirror.js'

const lists = fc.uniqueArray(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), weight: fc.integer({ min: 1, max: 2 }) }),
  { selector: (item) => item.id },
)
const build = (items: { id: string; weight: number }[]): Instance[] =>
  items.map(({ id, weight }) => instance(id, { weight }))

describe('mirror', () => {
  it('starts as the empty view', () => {
    expect(new Mirror().sign).toBe(EMPTY_SIGN)
  })

  it('holds no more than its bound, and shows that it does not', () => {
    const mirror = new Mirror(1_000)
    const list = ['a', 'b', 'c', 'd'].map((id) => instance(id))
    expect(mirror.apply(delta([], list))).toMatchObject({ verified: false, upserts: list.slice(0, 3) })
    expect(mirror.replace(view(list))).toMatchObject({ verified: false, upserts: [] })
    expect(mirror.instances).toEqual(list.slice(0, 3))
    expect(mirror.apply(delta(list, [])).verified).toBe(true)
    expect(mirror.apply(delta([], list.slice(3)))).toMatchObject({ verified: true, upserts: list.slice(3) })
  })

  it('replaces the parts that a node names, and says what that changed', () => {
    const mirror = new Mirror()
    const before = ['a', 'b', 'c', 'd', 'e'].map((id) => instance(id))
    mirror.replace(view(before))
    const parts = 4
    const at = (id: string): number => partOf('default', id, parts)
    const differing = [...new Set(['a', 'b'].map(at))]
    const stays = before.filter(({ id }) => differing.includes(at(id)) && id !== 'a' && id !== 'b')
    const changed = instance('a', { weight: 7 })
    const upserts = [changed, ...stays]
    const after = [changed, ...before.filter(({ id }) => id !== 'a' && id !== 'b')]
    const change = mirror.apply({
      ...delta(before, after),
      upserts,
      removes: [],
      parts: { count: parts, differing },
    })
    expect(change).toEqual({ upserts: [changed], removes: [{ instance: before[1] }], verified: true })
  })

  it('shows the sums of its parts', () => {
    const mirror = new Mirror()
    const list = ['a', 'b', 'c'].map((id) => instance(id))
    mirror.replace(view(list))
    expect(mirror.sumsOf(1)).toBe(signOf(list).slice(-4))
    const alone = new Mirror()
    alone.replace(view([list[0]!]))
    const part = partOf('default', 'a', 8)
    expect(alone.sumsOf(8).slice(part * 4, part * 4 + 4)).toBe(list[0]!.digest.slice(-4))
  })

  it('adds up after any deltas and views, and reports what changed', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ full: fc.boolean(), items: lists }), { maxLength: 10 }), (steps) => {
        const mirror = new Mirror()
        let held: Instance[] = []
        for (const { full, items } of steps) {
          const next = build(items)
          const change = full ? mirror.replace(view(next)) : mirror.apply(delta(held, next))
          expect(change.verified).toBe(true)
          expect(mirror.sign).toBe(signOf(next))
          const before = new Map(held.map((item) => [item.id, item.digest]))
          const ids = next.filter((item) => before.get(item.id) !== item.digest).map((item) => item.id)
          expect(change.upserts.map((item) => item.id).sort()).toEqual(ids.sort())
          const left = held.filter((item) => !next.some((other) => other.id === item.id))
          expect(change.removes.map((item) => item.instance.id).sort()).toEqual(
            left.map((item) => item.id).sort(),
          )
          held = next
        }
      }),
    )
  })

  it('tells a deregistration from an absence in a full view', () => {
    const mirror = new Mirror()
    mirror.replace(
      view([instance('a', { incarnation: 5 }), instance('b', { incarnation: 5 }), instance('c')]),
    )
    const removed = (id: string, incarnation: number) => ({
      group: 'default',
      id,
      incarnation,
      reason: 'deregistered' as const,
    })
    const { removes } = mirror.replace(view([], { removes: [removed('a', 5), removed('b', 4)] }))
    // The goodbye of a predecessor says nothing about the one that followed.
    expect(removes.map((item) => [item.instance.id, item.reason])).toEqual([
      ['a', 'deregistered'],
      ['b', undefined],
      ['c', undefined],
    ])
  })
})
