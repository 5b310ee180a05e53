/** Long polls: how many of them a change ends in one turn of the event loop. */
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createChangeWaits } from './change-waits.js'

describe('waits that one change ends', () => {
  it('end a bounded number in a turn, in their order, and those that are cancelled meanwhile without it', async () => {
    const hand = new HandClock()
    let ended = 0
    const turns: number[] = []
    const waits = createChangeWaits({
      setTimer: (delayMs, callback) =>
        hand.setTimer(delayMs, () => {
          const before = ended
          callback()
          if (ended > before) turns.push(ended - before)
        }),
    })
    const wakes: (() => void)[] = []
    const all = Array.from({ length: 1_200 }, () =>
      waits.begin(60_000, (wake) => {
        wakes.push(wake)
        return () => ended++
      }),
    )
    for (const wake of wakes) wake()
    expect(ended).toBe(500)
    all[1_100]?.cancel()
    expect(await all[1_100]?.changed).toBe(false)
    hand.advance(0)
    expect(turns).toEqual([500, 200])
    expect(await all[0]?.changed).toBe(true)
    expect(await all.at(-1)?.changed).toBe(true)
    expect(hand.timers).toEqual([])
  })
})
