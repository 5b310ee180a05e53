/** Who is asked to move, where to, and how much of it happens at once. */
import { HandClock } from '@rollcall/testkit/time'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMoves, type MovedStream, type Moves } from './moves.js'

/** A stream that notes what it is told. */
class Noted implements MovedStream {
  askedAt: number | undefined
  readonly heard: string[] = []
  told = 0
  open = true
  readonly session: MovedStream['session'] = {
    goaway: (reason, afterMs, to) => {
      if (this.open) this.heard.push(`${reason} ${afterMs} ${to ?? '-'}`)
      return this.open
    },
    nodesChanged: () => void this.told++,
  }
}

describe('moves', () => {
  let clock: HandClock
  let streams: Set<Noted>
  let moves: Moves
  /** Called after each turn in which streams were told. */
  let afterTurn: (() => void) | undefined
  const open = (count: number): Noted[] => {
    const made = Array.from({ length: count }, () => new Noted())
    for (const each of made) streams.add(each)
    return made
  }
  const asked = (): Noted[] => [...streams].filter(({ heard }) => heard.length > 0)

  beforeEach(() => {
    clock = new HandClock()
    streams = new Set()
    afterTurn = undefined
    const observed = {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      setTimer: (delayMs: number, callback: () => void) =>
        clock.setTimer(delayMs, () => {
          callback()
          afterTurn?.()
        }),
    }
    moves = createMoves(observed, streams)
  })

  it('sends all away before a stop, evenly to the other nodes, or anywhere without them', () => {
    open(4)
    moves.goaway('stopping', 250, ['b:1', 'c:1'])
    expect([...streams].map(({ heard }) => heard[0])).toEqual([
      'stopping 250 b:1',
      'stopping 250 c:1',
      'stopping 250 b:1',
      'stopping 250 c:1',
    ])
    moves.goaway('stopping', 250)
    expect([...streams].map(({ heard }) => heard[1])).toEqual(Array(4).fill('stopping 250 -'))
  })

  it('tells ten thousand streams of the nodes, some at a turn', () => {
    open(10_000)
    moves.nodesChanged()
    expect([...streams].every(({ told }) => told === 0)).toBe(true)
    const turns: number[] = []
    const toldSoFar = (): number => [...streams].filter(({ told }) => told > 0).length
    afterTurn = () => turns.push(toldSoFar() - turns.reduce((sum, each) => sum + each, 0))
    clock.advance(1_000)
    expect(Math.max(...turns)).toBe(250)
    expect(clock.timers).toEqual([])
    expect([...streams].every(({ told }) => told === 1)).toBe(true)
  })

  it('begins again with the newest when the nodes change while it tells', () => {
    const [first, ...others] = open(1_000)
    moves.nodesChanged()
    moves.nodesChanged()
    let turns = 0
    afterTurn = () => {
      if (++turns > 1) return
      expect([first?.told, others.at(-1)?.told]).toEqual([1, 0])
      moves.nodesChanged()
    }
    clock.advance(1_000)
    expect([first?.told, others.at(-1)?.told]).toEqual([2, 1])
    expect(clock.timers).toEqual([])
  })

  it('goes on where a stream ended or began while it tells', () => {
    const [first, ...others] = open(600)
    moves.nodesChanged()
    afterTurn = () => {
      if (first !== undefined) streams.delete(first)
      for (const each of others.slice(200, 400)) streams.delete(each)
      if (streams.size < 600) open(1)
      afterTurn = undefined
    }
    clock.advance(1_000)
    expect(streams.size).toBe(400)
    expect([...streams].every(({ told }) => told === 1)).toBe(true)
  })

  it('asks those to make room that are here for longest, evenly to the nodes named', () => {
    const [first, second, third, fourth] = open(10)
    if (second !== undefined) second.open = false
    moves.rebalance(3, ['b:1', 'c:1'])
    expect(asked()).toEqual([first, third, fourth])
    const places = asked().map(({ heard }) => heard.join().split(' ').at(-1))
    expect(new Set(places)).toEqual(new Set(['b:1', 'c:1']))
    expect(first?.heard).toEqual(['rebalance 10000 b:1'])
  })

  it('counts those on their way, and asks none twice within five minutes', () => {
    const all = open(10)
    moves.rebalance(3, ['b:1'])
    clock.advance(5_000)
    moves.rebalance(3, ['b:1'])
    expect(asked()).toHaveLength(3)
    // Two went, one stays where it is.
    streams.delete(all[0] as Noted)
    streams.delete(all[1] as Noted)
    moves.rebalance(1, ['b:1'])
    expect(asked()).toHaveLength(1)
    clock.advance(6_000)
    moves.rebalance(1, ['b:1'])
    expect(asked()).toEqual([all[2], all[3]])
    clock.advance(294_001)
    moves.rebalance(1, ['b:1'])
    expect(all[2]?.heard).toHaveLength(2)
  })

  it('moves no more than a thousand at a time, and none to nowhere', () => {
    open(3_000)
    moves.rebalance(2_000, [])
    expect(asked()).toHaveLength(0)
    for (let second = 0; second < 10; second++) {
      moves.rebalance(2_500, ['b:1'])
      clock.advance(999)
    }
    expect(asked()).toHaveLength(1_000)
    clock.advance(1_000)
    moves.rebalance(1_500, ['b:1'])
    expect(asked()).toHaveLength(2_000)
    moves.rebalance(-5, ['b:1'])
    expect(asked()).toHaveLength(2_000)
  })
})
