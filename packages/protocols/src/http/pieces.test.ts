/** Long answers: turn by turn, at the pace of their reader, broken off when they fail. */
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Exchange } from './exchange.js'
import { HandClock } from '@rollcall/testkit/time'
import { answerInPieces } from './pieces.js'
import { transmit, type Piece } from './transmit.js'

/** A response whose peer reads when told to. */
class Peer extends EventEmitter {
  reads = true
  state = 'open'
  readonly written: number[] = []

  get length(): number {
    return this.written.reduce((sum, length) => sum + length, 0)
  }

  writeHead(): void {}
  write(text: string): boolean {
    this.written.push(text.length)
    return this.reads
  }
  get writableFinished(): boolean {
    return this.state === 'ended' && this.reads
  }
  end(text: string): this {
    this.written.push(text.length)
    this.state = 'ended'
    if (this.reads) this.emit('close')
    return this
  }
  destroy(): void {
    this.state = 'destroyed'
    this.emit('close')
  }
}

function setUp(source: Iterator<string>): {
  peer: Peer
  clock: HandClock
  whole: string[]
} {
  const peer = new Peer()
  const clock = new HandClock()
  const whole: string[] = []
  const exchange = {
    text: (_status: number, body: string) => whole.push(body),
    inPieces: (_heldBytes: number, next: () => Piece) =>
      transmit(peer as unknown as ServerResponse, { clock, stalledMsMax: 1_000 }, next, () => peer.destroy()),
  }
  answerInPieces(exchange as unknown as Exchange, source)
  return { peer, clock, whole }
}

const PIECE = 'x'.repeat(1_000)
function* pieces(count: number, fault?: Error): Generator<string> {
  for (let n = 0; n < count; n++) yield PIECE
  if (fault !== undefined) throw fault
}

describe('an answer in pieces', () => {
  it('is whole where it is short', () => {
    expect(setUp(pieces(3)).whole).toEqual([PIECE.repeat(3)])
    expect(setUp(pieces(0)).whole).toEqual([''])
  })

  it('is made turn by turn', () => {
    const { peer, clock } = setUp(pieces(200))
    expect(peer.written).toEqual([66_000])
    clock.advance(0)
    expect([peer.state, ...peer.written]).toEqual(['ended', 66_000, 66_000, 66_000, 2_000])
  })

  it('of which little comes is made turn by turn all the same', () => {
    let made = 0
    function* poor(): Generator<string> {
      for (; made < 2_500; made++) yield ''
      yield PIECE
    }
    const { peer, clock, whole } = setUp(poor())
    expect([made, ...whole]).toEqual([999])
    clock.advance(0)
    expect([peer.state, made, peer.length]).toEqual(['ended', 2_500, 1_000])
  })

  it('is made as its reader takes it', () => {
    const { peer, clock } = setUp(pieces(200))
    peer.reads = false
    clock.advance(0)
    const before = peer.length
    clock.advance(999)
    expect(peer.length).toBe(before)
    peer.reads = true
    peer.emit('drain')
    clock.advance(5_000)
    expect([peer.state, peer.length]).toEqual(['ended', 200_000])
  })

  it('ends with a reader that does not take the last of it', () => {
    const { peer, clock } = setUp(pieces(70))
    peer.reads = false
    clock.advance(0)
    expect(peer.state).toBe('ended')
    clock.advance(1_000)
    expect(peer.state).toBe('destroyed')
  })

  it('ends with a reader that takes nothing for too long, or leaves', () => {
    const { peer, clock } = setUp(pieces(200))
    peer.reads = false
    clock.advance(0)
    clock.advance(1_000)
    expect(peer.state).toBe('destroyed')
    expect(peer.listenerCount('drain')).toBe(0)
    const leaving = setUp(pieces(200))
    leaving.peer.emit('close')
    leaving.clock.advance(10_000)
    expect(leaving.peer.length).toBe(66_000)
  })

  it('that fails early throws, later breaks off', () => {
    const fault = new Error('a mistake')
    expect(() => setUp(pieces(3, fault))).toThrow(fault)
    const { peer, clock } = setUp(pieces(100, fault))
    expect(peer.state).toBe('open')
    clock.advance(0)
    expect(peer.state).toBe('destroyed')
  })
})
