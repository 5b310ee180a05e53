/** The clock and the queue that the tests of every package rely on. */
import { describe, expect, it } from 'vitest'
import { EventQueue, HandClock } from './index.js'

describe('an event queue', () => {
  it('lets things happen in order of time, then in order of planning, and not after the end', () => {
    const queue = new EventQueue()
    const seen: string[] = []
    for (const [moment, name] of [
      [30, 'd'],
      [10, 'a'],
      [20, 'b'],
      [20, 'c'],
      [50, 'e'],
    ] as const)
      queue.at(moment, () => seen.push(`${name} ${queue.now}`))
    while (queue.step(40));
    expect(seen).toEqual(['a 10', 'b 20', 'c 20', 'd 30'])
    expect([queue.now, queue.count, queue.nextAt]).toEqual([40, 4, 50])
  })

  it('takes a moment that is past as the present one', () => {
    const queue = new EventQueue()
    queue.now = 100
    const seen: number[] = []
    queue.at(5, () => queue.after(0, () => seen.push(queue.now)))
    while (queue.step(100));
    expect(seen).toEqual([100])
  })
})

describe('a clock moved by hand', () => {
  it('runs what is due on the way, at its time, and what that sets', () => {
    const clock = new HandClock(1_000)
    const seen: number[] = []
    clock.setTimer(20, () => {
      seen.push(clock.now())
      clock.setTimer(5, () => seen.push(clock.now()))
    })
    clock.setTimer(10, () => seen.push(clock.now()))()
    expect(clock.timers).toEqual([{ at: 1_020 }])
    clock.advance(30)
    expect(seen).toEqual([1_020, 1_025])
    expect(clock.wallNow()).toBe(1_700_000_001_030)
    expect(clock.timers).toEqual([])
  })

  it('lets promises settle between two timers', async () => {
    const clock = new HandClock()
    const seen: string[] = []
    const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimer(ms, resolve))
    const run = async (): Promise<void> => {
      for (const name of ['a', 'b', 'c']) {
        await wait(10)
        seen.push(`${name} ${clock.now()}`)
      }
    }
    void run()
    await clock.pass(25)
    expect(seen).toEqual(['a 10', 'b 20'])
  })
})
