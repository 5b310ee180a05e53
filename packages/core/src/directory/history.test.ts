/** Recent changes in a ring, within one budget of bytes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { History, HistoryBudget, type PastChange, stepBytes } from './history.js'

/** Fewest steps that any budget grants. */
const STEPS_MIN = 1_024

function step(number: number, group = 'default'): PastChange {
  const id = String(number).padStart(6, '0')
  return {
    key: `${group}/${id}`,
    group,
    id,
    hi: 0,
    lo: number,
    groupHi: 1,
    groupLo: number,
    removed: undefined,
  }
}

const STEP_BYTES = stepBytes(step(0))

/** The internals whose growth nothing else would show. */
interface Inside {
  readonly order: readonly unknown[]
  readonly steps: readonly unknown[]
}

function inside(keeper: History | HistoryBudget): Inside {
  return keeper as unknown as Inside
}

describe('a ring', () => {
  it('gives the last change of each key since the newest moment with the sign', () => {
    const history = new History(new HistoryBudget(0))
    const first = step(1)
    const second = { ...step(2), key: first.key }
    const third = { ...step(1), key: 'default/other' }
    for (const next of [first, second, third]) history.push(next, 10)
    expect([...(history.since({ hi: 0, lo: 2 }, undefined) ?? [])]).toEqual([
      [third.key, third],
      [second.key, second],
    ])
    expect([...(history.since({ hi: 0, lo: 1 }, undefined) ?? [])]).toEqual([[third.key, third]])
    expect(history.since({ hi: 0, lo: 9 }, undefined)).toBeUndefined()
  })

  it('looks at the sums of the group for a group, and at its steps only', () => {
    const history = new History(new HistoryBudget(0))
    for (const next of [step(1, 'blue'), step(2, 'green'), step(3, 'blue')]) history.push(next, 10)
    expect([...(history.since({ hi: 1, lo: 1 }, 'blue')?.keys() ?? [])]).toEqual([
      'blue/000003',
      'blue/000001',
    ])
    expect(history.since({ hi: 0, lo: 1 }, 'blue')).toBeUndefined()
    expect(history.since({ hi: 1, lo: 2 }, 'blue')).toBeUndefined()
  })

  it('holds at most twice the list, and at least the minimum', () => {
    const history = new History(new HistoryBudget(1e9))
    for (let number = 0; number < 5_000; number++) history.push(step(number), 10)
    expect(history.length).toBe(STEPS_MIN)
    for (let number = 0; number < 5_000; number++) history.push(step(number), 2_000)
    expect(history.length).toBe(4_000)
    history.push(step(0), 0)
    expect(history.length).toBe(STEPS_MIN)
  })
})

describe('the budget', () => {
  it('drops the oldest change anywhere first', () => {
    const budget = new HistoryBudget(0)
    const [old, young] = [new History(budget), new History(budget)]
    for (let number = 0; number < 600; number++) old.push(step(number), 10)
    for (let number = 0; number < 600; number++) young.push(step(number), 10)
    expect([old.length, young.length]).toEqual([STEPS_MIN - 600, 600])
    expect(old.since({ hi: 0, lo: 175 }, undefined)).toBeUndefined()
    expect(old.since({ hi: 0, lo: 176 }, undefined)?.size).toBe(424)
  })

  it('never charges more than it was given', () => {
    const bytesMax = 2_000 * STEP_BYTES
    const budget = new HistoryBudget(bytesMax)
    const rings = Array.from({ length: 50 }, () => new History(budget))
    for (let number = 0; number < 20_000; number++) rings[(number * 7) % 50]?.push(step(number), 5_000)
    expect(budget.bytes).toBe(bytesMax)
    expect(rings.reduce((sum, { length }) => sum + length, 0)).toBe(2_000)
  })

  it('charges long ids for what they cost', () => {
    const budget = new HistoryBudget(500_000)
    const history = new History(budget)
    const long = { ...step(1), id: 'x'.repeat(128), key: `default/${'x'.repeat(128)}` }
    for (let number = 0; number < 5_000; number++) history.push(long, 5_000)
    expect(history.length).toBe(Math.floor(500_000 / (160 + 128 + 136)))
  })

  it('does not grow with one flapping service', () => {
    const budget = new HistoryBudget(1e9)
    const quiet = new History(budget)
    quiet.push(step(1), 1)
    const flapping = new History(budget)
    for (let number = 0; number < 200_000; number++) flapping.push(step(number), 1)
    expect(budget.bytes).toBe((STEPS_MIN + 1) * STEP_BYTES)
    expect(inside(budget).order.length).toBeLessThan(6 * STEPS_MIN)
    expect(inside(flapping).steps.length).toBeLessThan(4 * STEPS_MIN)
    expect(quiet.since({ hi: 0, lo: 1 }, undefined)?.size).toBe(1)
  })

  it('does not grow with services that come and go', () => {
    const budget = new HistoryBudget(1e9)
    for (let service = 0; service < 20_000; service++) {
      const history = new History(budget)
      for (let number = 0; number < 3; number++) history.push(step(number), 1)
      history.clear()
    }
    expect(budget.bytes).toBe(0)
    expect(inside(budget).order.length).toBeLessThan(4 * STEPS_MIN)
  })

  it('counts what the rings hold, after any mixture of pushes, own bounds and clearings', () => {
    const pushes = fc.record({
      ring: fc.nat(3),
      count: fc.constantFrom(1, 400, 1_100),
      listed: fc.constantFrom(0, 900),
      clear: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(pushes, { minLength: 1, maxLength: 15 }),
        fc.constantFrom(0, 3_000),
        (all, stepsMax) => {
          const budget = new HistoryBudget(stepsMax * STEP_BYTES)
          const rings = Array.from({ length: 4 }, () => new History(budget))
          for (const { ring, count, listed, clear } of all) {
            const history = rings[ring]
            if (history === undefined) throw new Error('no such ring')
            if (clear) history.clear()
            for (let number = 0; number < count; number++) history.push(step(number), listed)
          }
          const held = rings.reduce((sum, { length }) => sum + length, 0)
          expect(budget.bytes).toBe(held * STEP_BYTES)
          expect(held).toBeLessThanOrEqual(Math.max(stepsMax, STEPS_MIN))
          // The newest change of the last ring is always there, unless nothing was pushed after it was cleared.
          expect(rings[all.at(-1)?.ring ?? 0]?.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})
