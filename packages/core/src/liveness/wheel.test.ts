/** The timer wheel. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Wheel, type WheelItem } from './wheel.js'

interface Item extends WheelItem {
  readonly name: string
}

const SLOT_MS = 50
const SLOTS = 8
const REACH_MS = SLOT_MS * (SLOTS - 1)

function setUp(now = 1_000) {
  const wheel = new Wheel<Item>(now, SLOT_MS, SLOTS)
  const fired: string[] = []
  const item = (name: string): Item => ({ name, wheelAt: Number.NaN })
  const advance = (to: number, again?: (due: Item) => void): string[] => {
    fired.length = 0
    wheel.advance(to, (due) => {
      fired.push(due.name)
      again?.(due)
    })
    return [...fired]
  }
  return { wheel, item, advance }
}

describe('a wheel', () => {
  it('hands an item out at its time or up to one slot later, once', () => {
    const { wheel, item, advance } = setUp()
    wheel.schedule(item('a'), 1_120)
    expect(advance(1_119)).toEqual([])
    expect(advance(1_149)).toEqual([])
    expect(advance(1_150)).toEqual(['a'])
    expect(advance(5_000)).toEqual([])
  })

  it('hands what is overdue out with the next slot', () => {
    const { wheel, item, advance } = setUp()
    wheel.schedule(item('past'), 10)
    expect(advance(1_049)).toEqual(['past'])
  })

  it('hands the rest out with the next slot when it was enough, in order and each once', () => {
    const { wheel, item } = setUp()
    for (const name of ['a', 'b', 'c', 'd', 'e']) wheel.schedule(item(name), 1_100)
    wheel.schedule(item('f'), 1_150)
    const slots: string[] = []
    for (const now of [1_100, 1_150, 1_200, 1_250]) {
      let fired = ''
      wheel.advance(
        now,
        ({ name }) => (fired += name),
        () => fired.length >= 2,
      )
      slots.push(fired)
    }
    expect(slots).toEqual(['ab', 'cd', 'ef', ''])
  })

  it('keeps an earlier place and ignores a later one', () => {
    const { wheel, item, advance } = setUp()
    const a = item('a')
    wheel.schedule(a, 1_100)
    wheel.schedule(a, 1_300)
    expect(advance(1_100)).toEqual(['a'])
    expect(advance(2_000)).toEqual([])
  })

  it('moves to an earlier place and is not handed out at the later one as well', () => {
    const { wheel, item, advance } = setUp()
    const a = item('a')
    wheel.schedule(a, 1_300)
    wheel.schedule(a, 1_100)
    expect(advance(1_100)).toEqual(['a'])
    expect(advance(2_000)).toEqual([])
  })

  it('is not confused by an item put back to the place it had left', () => {
    const { wheel, item, advance } = setUp()
    const a = item('a')
    wheel.schedule(a, 1_300)
    wheel.schedule(a, 1_100)
    expect(advance(1_100, (due) => wheel.schedule(due, 1_300))).toEqual(['a'])
    expect(advance(1_300)).toEqual(['a'])
    expect(advance(3_000)).toEqual([])
  })

  it('forgets a cancelled item', () => {
    const { wheel, item, advance } = setUp()
    const a = item('a')
    wheel.schedule(a, 1_100)
    wheel.cancel(a)
    expect(advance(2_000)).toEqual([])
  })

  it('takes no place for an item that waits for an event', () => {
    const { wheel, item, advance } = setUp()
    const a = item('a')
    wheel.schedule(a, Infinity)
    expect(a.wheelAt).toBeNaN()
    expect(advance(10_000)).toEqual([])
  })

  it('hands an item beyond its reach out early, never late', () => {
    const { wheel, item, advance } = setUp()
    const a = item('a')
    let seen = 0
    wheel.schedule(a, 9_000)
    for (let now = 1_000; now <= 9_050; now += SLOT_MS) {
      advance(now, (due) => {
        seen = now
        if (now < 9_000) wheel.schedule(due, 9_000)
      })
    }
    expect(seen).toBe(9_000)
  })

  it('catches up after a pause longer than its reach', () => {
    const { wheel, item, advance } = setUp()
    for (const [name, at] of [
      ['a', 1_100],
      ['b', 1_300],
      ['c', 60_000],
    ] as const)
      wheel.schedule(item(name), at)
    expect(
      advance(60_000, (due) => due.name === 'c' && wheel.schedule(due, 60_000)).filter(
        (name) => name !== 'c',
      ),
    ).toEqual(['a', 'b'])
    expect(advance(60_100)).toEqual(['c'])
  })

  it('ends when items are put back as due at once', () => {
    const { wheel, item, advance } = setUp()
    wheel.schedule(item('a'), 1_100)
    expect(advance(1_100, (due) => wheel.schedule(due, 0))).toEqual(['a'])
    expect(advance(1_150, (due) => wheel.schedule(due, 0))).toEqual(['a'])
  })

  it('is never late and never early for anything within reach', () => {
    const schedules = fc.array(
      fc.record({ item: fc.nat(2), inMs: fc.integer({ min: -60, max: REACH_MS }), pass: fc.nat(120) }),
      {
        maxLength: 30,
      },
    )
    fc.assert(
      fc.property(schedules, (all) => {
        let now = 1_000
        const { wheel, item, advance } = setUp(now)
        const items = ['0', '1', '2'].map(item)
        const due = new Map<string, number>()
        for (const { item: index, inMs, pass } of all) {
          const chosen = items[index]
          if (chosen === undefined) throw new Error('no such item')
          wheel.schedule(chosen, now + inMs)
          due.set(chosen.name, Math.min(due.get(chosen.name) ?? Infinity, now + inMs))
          now += pass
          const last = Math.floor(now / SLOT_MS) * SLOT_MS
          for (const name of advance(now)) {
            expect(due.get(name), `${name} was due`).toBeLessThanOrEqual(now)
            due.delete(name)
          }
          // Overdue items go to the slot that comes next, so they may wait for one more.
          for (const at of due.values()) expect(at).toBeGreaterThan(last - 2 * SLOT_MS)
        }
        advance(now + REACH_MS + SLOT_MS)
        expect(items.every(({ wheelAt }) => Number.isNaN(wheelAt))).toBe(true)
      }),
    )
  })
})
