/** The clock of judgement leaves out what the node slept. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JudgedClock } from './judged-clock.js'

const TICK = 50
/** Nobody notices shorter stalls. */
const LONG = 3_000

describe('the judged clock', () => {
  it('runs with the real one while ticks are on time', () => {
    const clock = new JudgedClock(1_000, TICK, LONG)
    for (let now = 1_050; now <= 2_000; now += TICK) {
      expect(clock.at(now)).toBe(now)
      expect(clock.tick(now)).toBe(true)
    }
  })

  it('takes out what a tick came late, and judges only at the next one', () => {
    const clock = new JudgedClock(1_000, TICK, LONG)
    expect(clock.tick(61_000)).toBe(false)
    expect(clock.at(61_000)).toBe(1_100)
    expect(clock.tick(61_050)).toBe(true)
    expect(clock.at(61_050)).toBe(1_150)
  })

  it('dates events within a stall before its end, whether the tick or the event comes first', () => {
    const clock = new JudgedClock(1_000, TICK, LONG)
    expect(clock.at(31_000)).toBe(1_100)
    clock.tick(61_000)
    expect(clock.at(61_000)).toBe(1_100)
  })

  it('judges every second tick of a loop that is always slow, at a lower speed', () => {
    const clock = new JudgedClock(0, TICK, LONG)
    const judged = Array.from({ length: 6 }, (_, index) => clock.tick((index + 1) * 400))
    expect(judged).toEqual([false, true, false, true, false, true])
    expect(clock.at(2_400)).toBe(600)
  })

  it('counts a tick that is merely a little late in full', () => {
    const clock = new JudgedClock(0, TICK, LONG)
    expect(clock.tick(100)).toBe(true)
    expect(clock.at(100)).toBe(100)
  })

  it('never goes back and never runs ahead, whatever the ticks', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 50 }), (events) => {
        const clock = new JudgedClock(0, TICK, LONG)
        let now = 0
        let last = 0
        for (const [ms, tick] of events) {
          now += ms
          const before = clock.at(now)
          if (tick) clock.tick(now)
          expect(before).toBeGreaterThanOrEqual(last)
          expect(clock.at(now)).toBe(before)
          expect(before).toBeLessThanOrEqual(now)
          last = before
        }
      }),
    )
  })

  it('remembers the end of the last long stall, in judged time', () => {
    const clock = new JudgedClock(1_000, TICK, LONG)
    clock.tick(4_000)
    expect(clock.wokeAt).toBe(-Infinity)
    clock.tick(8_000)
    expect(clock.wokeAt).toBe(1_200)
    expect(clock.at(8_000)).toBe(1_200)
  })
})
