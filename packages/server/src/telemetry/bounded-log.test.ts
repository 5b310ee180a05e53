/** Lines that others can bring about. */
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createBoundedLog } from './bounded-log.js'
import { linesOf } from './lines.fixture.js'

describe('a bounded log', () => {
  it('writes so many lines in a time, and then how many more there were', () => {
    const clock = new HandClock()
    const { logger, lines } = linesOf()
    const write = createBoundedLog({ clock, logger }, { linesMax: 2, windowMs: 1_000, about: 'tests' })
    for (let n = 1; n <= 5; n++) write('info', { n }, 'line')
    expect(lines).toEqual(['info line {"n":1}', 'info line {"n":2}'])
    clock.advance(1_000)
    expect(lines[2]).toBe('warn lines left out of the log {"lines":3,"about":"tests","windowMs":1000}')
    write('warn', { n: 6 }, 'line')
    expect(lines[3]).toBe('warn line {"n":6}')
    clock.advance(5_000)
    expect(lines).toHaveLength(4)
    expect(clock.timers).toEqual([])
  })
})
