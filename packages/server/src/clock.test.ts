/** Clock and chance of the process. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSystemClock } from './clock.js'
import { createSystemRandom } from './random.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the clock of the process', () => {
  it('calls once after the delay, and never after a cancel', () => {
    const clock = createSystemClock()
    const called = vi.fn()
    const cancelled = vi.fn()
    clock.setTimer(100, called)
    clock.setTimer(100, cancelled)()
    vi.advanceTimersByTime(99)
    expect(called).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(called).toHaveBeenCalledTimes(1)
    expect(cancelled).not.toHaveBeenCalled()
  })

  it('measures steps of the wall clock in the wall clock only', () => {
    const clock = createSystemClock()
    const before = clock.now()
    vi.setSystemTime(new Date('2001-02-03T04:05:06Z'))
    expect(clock.wallNow()).toBe(Date.UTC(2001, 1, 3, 4, 5, 6))
    vi.advanceTimersByTime(10)
    expect(clock.now() - before).toBe(10)
  })

  it('refuses delays that Node would turn into 1 ms', () => {
    const clock = createSystemClock()
    expect(() => clock.setTimer(2 ** 31, () => {})).toThrow(RangeError)
    expect(() => clock.setTimer(Number.NaN, () => {})).toThrow(RangeError)
  })

  it('does not keep the process alive', () => {
    vi.useRealTimers()
    const timersThatHold = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timersThatHold()
    const cancel = createSystemClock().setTimer(60_000, () => {})
    expect(timersThatHold()).toBe(before)
    cancel()
  })
})

describe('the chance of the process', () => {
  it('gives fractions in [0, 1) and ids that differ', () => {
    const random = createSystemRandom()
    for (let n = 0; n < 100; n++) {
      const fraction = random.fraction()
      expect(fraction).toBeGreaterThanOrEqual(0)
      expect(fraction).toBeLessThan(1)
    }
    expect(random.bootId()).toMatch(/^[0-9a-f]{16}$/)
    expect(random.bootId()).not.toBe(random.bootId())
  })
})
