/** What is kept of lists that shrink by silence. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { ShrinkGuard } from './shrink-guard.js'

const MINUTE = 60_000
const many = (n: number, from = 0): Instance[] =>
  Array.from({ length: n }, (_, index) => instance(`i${from + index}`))
const kept = (guard: ShrinkGuard): string[] => guard.kept.map((item) => item.id)
const gone = (list: readonly Instance[], reason?: 'deregistered' | 'expired' | 'replaced') => ({
  upserts: [],
  removes: list.map((item) => (reason === undefined ? { instance: item } : { instance: item, reason })),
})
const came = (list: readonly Instance[]) => ({ upserts: list, removes: [] })

function guarding(list: readonly Instance[], keptMax = 10_000): ShrinkGuard {
  const guard = new ShrinkGuard({ keptMs: 10 * MINUTE, keptMax })
  guard.resume(0)
  guard.update(0, came(list))
  return guard
}

describe('shrink guard', () => {
  it.each([
    [undefined, 6, 6],
    ['expired', 6, 6],
    [undefined, 5, 0],
    ['expired', 5, 0],
    ['deregistered', 10, 0],
    ['replaced', 10, 0],
  ] as const)('of ten that left as %s, %i missing: keeps %i', (reason, missing, expected) => {
    const list = many(10)
    const guard = guarding(list)
    guard.update(1, gone(list.slice(0, missing), reason))
    expect(kept(guard)).toHaveLength(expected)
  })

  it('adds up what vanishes one by one, and does not count who says goodbye', () => {
    const list = many(10)
    const guard = guarding(list)
    guard.update(1, gone(list.slice(0, 4), 'deregistered'))
    for (const item of list.slice(4, 7)) guard.update(2, gone([item], 'expired'))
    expect(kept(guard)).toEqual([])
    guard.update(3, gone(list.slice(7, 8), 'expired'))
    expect(kept(guard)).toEqual(['i4', 'i5', 'i6', 'i7'])
  })

  it('believes an empty list only if it came from deregistrations', () => {
    const list = many(2)
    const guard = guarding(list)
    guard.update(1, gone(list.slice(0, 1), 'deregistered'))
    expect(kept(guard)).toEqual([])
    guard.update(2, gone(list.slice(1), 'expired'))
    expect(kept(guard)).toEqual(['i1'])
  })

  it('never keeps who was deregistered, also when that is learnt later', () => {
    const list = many(3)
    const guard = guarding(list)
    guard.update(1, gone(list))
    const named = { group: 'default', incarnation: 1 }
    guard.explained([
      { ...named, id: 'i0', reason: 'deregistered' },
      { ...named, id: 'i1', reason: 'replaced' },
      { ...named, id: 'i2', reason: 'expired' },
      { ...named, id: 'i2', reason: 'deregistered', incarnation: 0 },
    ])
    expect(kept(guard)).toEqual(['i2'])
  })

  it('doubts a mass of deaths by silence, not one by refusals, and not an operator', () => {
    const list = many(3)
    const turned = (state: 'down' | 'disabled' | 'starting', reason?: string): Instance[] =>
      list.map((item) => ({ ...item, state, ...(reason === undefined ? {} : { reason }) }))
    const after = (next: readonly Instance[]): string[] => {
      const guard = guarding(list)
      guard.update(1, came(next))
      return kept(guard)
    }
    expect(after(turned('down', 'silence'))).toEqual(['i0', 'i1', 'i2'])
    expect(after(turned('down', 'refused'))).toEqual([])
    expect(after(turned('disabled', 'operator'))).toEqual([])
    expect(after(turned('starting'))).toEqual([])
    // Found down long before: there is nothing it was when it was last well.
    const guard = guarding(turned('down', 'silence'))
    guard.update(1, gone(turned('down', 'silence'), 'expired'))
    expect(kept(guard)).toEqual([])
  })

  it('keeps those who expire after a death by silence, and lets go of those refused after it', () => {
    const [a, b] = many(2) as [Instance, Instance]
    const guard = guarding([a, b])
    guard.update(1, came([a, b].map((item) => ({ ...item, state: 'down' as const, reason: 'silence' }))))
    guard.update(2, gone([{ ...a, state: 'down', reason: 'silence' }], 'expired'))
    expect(kept(guard)).toEqual(['i0', 'i1'])
    guard.update(3, came([{ ...b, state: 'down', reason: 'refused' }]))
    expect(kept(guard)).toEqual(['i0'])
  })

  it('forgets who is back, and all when enough are', () => {
    const list = many(4)
    const guard = guarding(list)
    guard.update(1, gone(list))
    guard.update(2, came(list.slice(0, 1)))
    expect(kept(guard)).toEqual(['i1', 'i2', 'i3'])
    guard.update(3, came(many(2, 10)))
    expect(kept(guard)).toEqual([])
  })

  it('does not miss who was draining anyway', () => {
    const draining: Instance = { ...instance('a'), state: 'draining' }
    const left = guarding([draining])
    left.update(1, gone([draining]))
    expect(kept(left)).toEqual([])
    const died = guarding([draining])
    died.update(1, came([{ ...draining, state: 'down', reason: 'silence' }]))
    expect(kept(died)).toEqual([])
  })

  it('does not take an older process for the one that is down', () => {
    const guard = guarding([instance('a')])
    guard.update(1, came([{ ...instance('a', { incarnation: 2 }), state: 'down', reason: 'silence' }]))
    expect(kept(guard)).toEqual([])
  })

  it('lets go after ten minutes of a healthy registry, which an outage starts anew', () => {
    const list = many(2)
    const guard = guarding(list)
    guard.update(0, gone(list))
    guard.pause()
    expect(guard.nextAt()).toBeUndefined()
    guard.expire(60 * MINUTE)
    expect(kept(guard)).toHaveLength(2)
    guard.resume(60 * MINUTE)
    guard.resume(65 * MINUTE)
    expect(guard.nextAt()).toBe(70 * MINUTE)
    guard.expire(70 * MINUTE - 1)
    expect(kept(guard)).toHaveLength(2)
    guard.expire(70 * MINUTE)
    expect(kept(guard)).toEqual([])
    expect(guard.nextAt()).toBeUndefined()
  })

  it('is bounded: the oldest go', () => {
    const list = many(5)
    const guard = guarding(list, 3)
    for (const item of list) guard.update(1, gone([item]))
    expect(kept(guard)).toEqual(['i2', 'i3', 'i4'])
    guard.update(2, came(many(4, 10)))
    expect(kept(guard)).toEqual(['i2', 'i3', 'i4'])
  })

  it('keeps none that is on the list, and none that said goodbye, whatever happens', () => {
    const move = fc.record({
      id: fc.nat({ max: 5 }),
      to: fc.constantFrom('up', 'down', 'gone', 'lost', 'expired'),
    })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const guard = guarding([])
        const list = new Map<number, Instance>()
        const left = new Set<string>()
        for (const { id, to } of moves) {
          const before = list.get(id)
          const item = instance(String(id))
          if (to === 'up' || to === 'down') {
            const next = to === 'up' ? item : { ...item, state: to, reason: 'silence' }
            list.set(id, next)
            left.delete(item.id)
            guard.update(0, came([next]))
          } else if (before !== undefined) {
            list.delete(id)
            if (to === 'gone') left.add(item.id)
            guard.update(
              0,
              gone([before], to === 'lost' ? undefined : to === 'gone' ? 'deregistered' : 'expired'),
            )
          }
          const up = new Set([...list.values()].filter((each) => each.state === 'up').map((each) => each.id))
          expect(kept(guard).filter((name) => up.has(name) || left.has(name))).toEqual([])
          expect(guard.kept.length === 0 || guard.kept.length > up.size).toBe(true)
        }
      }),
    )
  })
})
