/** Clients that poll: how long they may not know. */
import { describe, expect, it } from 'vitest'
import { Pollers } from './pollers.js'

describe('pollers of a service', () => {
  it('are waited for as long as they announce, or 5 s', () => {
    const pollers = new Pollers()
    expect(pollers.waitMs('a', 0, 0)).toBe(0)
    pollers.noted('a', undefined, 0)
    pollers.noted('b', 30_000, 0)
    expect(pollers.waitMs('a', 0, 1_000)).toBe(5_000)
    expect(pollers.waitMs('a', 4_999, 1_000)).toBe(1)
    expect(pollers.waitMs('a', 5_000, 1_000)).toBe(0)
    expect(pollers.waitMs('b', 10_000, 1_000)).toBe(20_000)
  })

  it('are taken together: the slowest counts as long as somebody asks', () => {
    const pollers = new Pollers()
    pollers.noted('a', 30_000, 0)
    pollers.noted('a', 1_000, 50_000)
    expect(pollers.waitMs('a', 0, 50_000)).toBe(30_000)
    pollers.noted('a', 1_000, 200_000)
    expect(pollers.waitMs('a', 0, 200_000)).toBe(1_000)
  })

  it('are forgotten when nobody asked for a minute, or for two of their intervals', () => {
    const pollers = new Pollers()
    pollers.noted('a', undefined, 0)
    pollers.noted('b', 60_000, 0)
    expect(pollers.waitMs('a', 0, 59_999)).toBe(5_000)
    expect(pollers.waitMs('a', 0, 60_000)).toBe(0)
    expect(pollers.waitMs('b', 0, 119_999)).toBe(60_000)
    expect(pollers.waitMs('b', 0, 120_000)).toBe(0)
  })

  it('beyond the services that are remembered count as if everything were polled', () => {
    const pollers = new Pollers()
    for (let index = 0; index < 10_001; index++) pollers.noted(`s${index}`, undefined, 0)
    expect(pollers.waitMs('never-asked', 0, 1_000)).toBe(5_000)
    expect(pollers.waitMs('never-asked', 0, 60_000)).toBe(0)
    pollers.noted('later', 7_000, 60_000)
    expect(pollers.waitMs('later', 0, 60_000)).toBe(7_000)
  })

  it('that have aged make room at most once a second: a crowd does not search all of them with each request', () => {
    const pollers = new Pollers()
    for (let index = 0; index < 10_000; index++) pollers.noted(`s${index}`, undefined, 0)
    pollers.noted('early', 7_000, 59_500)
    pollers.noted('soon', 7_000, 60_400)
    expect(pollers.waitMs('soon', 0, 60_400)).toBe(5_000)
    pollers.noted('later', 7_000, 60_500)
    expect(pollers.waitMs('later', 0, 60_500)).toBe(7_000)
  })
})
