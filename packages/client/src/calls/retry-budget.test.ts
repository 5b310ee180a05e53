/** How many retries there are. */
import { describe, expect, it } from 'vitest'
import { LAST_RESORT, RETRIES, RetryBudget } from './retry-budget.js'

function taken(budget: RetryBudget, now: number): number {
  let count = 0
  while (budget.take(now)) count += 1
  return count
}

describe('retry budget', () => {
  it('allows ten a second, and saves up ten seconds of them', () => {
    const budget = new RetryBudget(0, RETRIES)
    expect(taken(budget, 0)).toBe(100)
    expect(taken(budget, 1_000)).toBe(10)
    expect(taken(budget, 1_050)).toBe(0)
    expect(taken(budget, 3_600_000)).toBe(100)
  })

  it('allows a fifth of the calls beyond that', () => {
    const budget = new RetryBudget(0, RETRIES)
    taken(budget, 0)
    for (let call = 0; call < 1_000; call += 1) budget.called(0)
    expect(Math.round(taken(budget, 0) / 10)).toBe(20)
    for (let call = 0; call < 10_000; call += 1) budget.called(0)
    expect(Math.round(taken(budget, 0) / 10)).toBe(100)
  })

  it('does not lose to time what calls saved up', () => {
    const budget = new RetryBudget(0, RETRIES)
    for (let call = 0; call < 1_000; call += 1) budget.called(0)
    expect(Math.round(taken(budget, 60_000) / 10)).toBe(30)
  })

  it('of a last resort knows time only', () => {
    const budget = new RetryBudget(0, LAST_RESORT)
    for (let call = 0; call < 1_000; call += 1) budget.called(0)
    expect(taken(budget, 0)).toBe(10)
    expect(taken(budget, 100)).toBe(1)
  })
})
