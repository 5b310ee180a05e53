/** One side of a link by itself: how much it does in a turn, and what it holds. */
import { describe, expect, it } from 'vitest'
import { NO_LOGGER, type PeerMessage } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { recordOf } from './entries.fixture.js'
import { PeerLink } from './link.js'
import { type PeerOptions, resolvePeerOptions } from './options.js'
import type { PeerSocket } from './sockets.js'
import { Transit } from './transit.js'

interface Standing {
  readonly clock: HandClock
  readonly link: PeerLink
  readonly told: PeerMessage[]
  readonly sent: string[]
  readonly calls: string[]
  readonly socket: { unsentBytes: number }
}

function stand(options: PeerOptions = {}): Standing {
  const clock = new HandClock()
  const told: PeerMessage[] = []
  const sent: string[] = []
  const calls: string[] = []
  const socket: PeerSocket & { unsentBytes: number } = {
    unsentBytes: 0,
    send: (text) => void sent.push(text),
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    close: (code) => void calls.push(`close ${code}`),
    destroy: () => void calls.push('destroy'),
  }
  const link = new PeerLink({ clock, logger: NO_LOGGER }, resolvePeerOptions(options), socket, {
    told: (message) => void told.push(message),
    answer: () => Promise.reject(new Error('not asked')),
    unread() {},
    ended: (reason) => void calls.push(reason),
  })
  return { clock, link, told, sent, calls, socket }
}

const LEARN = JSON.stringify({ type: 'learn', entries: [recordOf('x')] })

describe('a link', () => {
  it('reads a bounded part of what has arrived in a turn, and nothing more from the socket meanwhile', () => {
    const { clock, link, told, calls } = stand({ turnBytes: LEARN.length * 2 })
    for (let frame = 0; frame < 7; frame++) link.received(LEARN)
    expect([told.length, calls]).toEqual([2, ['pause']])
    const lengths: number[] = []
    while (told.length < 7) {
      const before = told.length
      const [due] = clock.timers.slice(-1)
      expect(due?.at).toBe(0)
      link.drained()
      clock.advance(0)
      lengths.push(told.length - before)
    }
    expect(told).toHaveLength(7)
    expect(calls).toEqual(['pause', 'resume'])
  })

  it('ends where more arrives than may wait', () => {
    const { link, told, calls } = stand({ turnBytes: 1, inboxBytesMax: LEARN.length * 3 })
    for (let frame = 0; frame < 6; frame++) link.received(LEARN)
    expect(told).toHaveLength(1)
    expect(calls).toEqual(['pause', 'close 4429', 'too much at once'])
  })

  it('writes a bounded part of what waits in a turn', () => {
    const { clock, link, sent } = stand({ turnBytes: 1_000, sliceBytes: 700 })
    clock.advance(0)
    sent.length = 0
    link.tell({ type: 'learn', entries: Array.from({ length: 20 }, (_, index) => recordOf(`x${index}`)) })
    const first = sent.length
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(4)
    clock.advance(0)
    expect(sent.join('').match(/"kind":"record"/g)).toHaveLength(20)
  })

  it('makes nothing for a socket that is full, and goes on when it is not', () => {
    const { link, sent, socket } = stand({ queueBytesMax: 10_000 })
    socket.unsentBytes = 1_000_000
    const refs = Array.from({ length: 100 }, (_, index) => ({ ...KEY, id: `x${index}` }))
    const heard: PeerMessage = { type: 'heard', agoMs: 0, refs }
    expect(link.tell(heard)).toBe(true)
    expect(link.tell(heard)).toBe(false)
    expect(sent).toEqual([])
    socket.unsentBytes = 0
    link.drained()
    expect(sent).toHaveLength(1)
    expect(link.tell(heard)).toBe(true)
  })

  it('tells of many that consumers could not reach in frames that the other side reads', () => {
    const { clock, link, sent } = stand()
    clock.advance(0)
    sent.length = 0
    const refs = Array.from({ length: 1_500 }, (_, index) => ({ ...KEY, id: `x${index}` }))
    expect(link.tell({ type: 'unreachable', refs })).toBe(true)
    clock.advance(0)
    const there = stand()
    for (const text of sent) there.link.received(text)
    const told = there.told.flatMap((message) => (message.type === 'unreachable' ? message.refs : []))
    expect(told).toEqual(refs)
    expect(there.told.length).toBe(2)
  })

  it.each([
    [[{ ...KEY, id: 1 }]],
    [[{ ...KEY, incarnation: -1 }]],
    [[null]],
    ['x'],
    [Array.from({ length: 1_025 }, () => KEY)],
  ])('lets a peer go that tells of %j as unreachable', (refs) => {
    const { link, told, calls } = stand()
    link.received(JSON.stringify({ type: 'unreachable', refs }))
    expect(told).toEqual([])
    expect(calls[0]).toMatch(/^close /)
  })

  it('adds to the age of what it heard how long it waited to be sent', () => {
    const { clock, link, sent, socket } = stand()
    clock.advance(0)
    sent.length = 0
    socket.unsentBytes = 1_000_000
    link.tell({ type: 'heard', agoMs: 100, refs: [KEY] })
    clock.advance(700)
    socket.unsentBytes = 0
    link.drained()
    expect(
      sent.filter((text) => text.includes('heard')).map((text) => JSON.parse(text) as object),
    ).toMatchObject([{ agoMs: 800, at: 700 }])
  })

  it('leaves out an entry that no frame can hold', () => {
    const { clock, link, sent } = stand({ frameBytesMax: 20_000, sliceBytes: 1_000 })
    clock.advance(0)
    sent.length = 0
    const large = recordOf('large', { metadata: { text: 'x'.repeat(17_000) } })
    link.tell({ type: 'learn', entries: [recordOf('a'), large, recordOf('b')] })
    expect(sent.join('')).toContain('"id":"b"')
    expect(sent.join('')).not.toContain('"id":"large"')
  })
})

describe('the delay of a frame', () => {
  it('is what it took longer than the fastest of the last minute or two', () => {
    const transit = new Transit()
    // The other clock is 500 ms behind; the way takes 2 ms at best.
    expect(transit.lateMs(0, 502)).toBe(0)
    expect(transit.lateMs(100, 650)).toBe(48)
    expect(transit.lateMs(200, 702)).toBe(0)
    // A clock that drifts is followed.
    expect(transit.lateMs(70_000, 70_600)).toBe(98)
    expect(transit.lateMs(140_000, 140_600)).toBe(0)
  })
})

const KEY = { namespace: 'default', service: 's', group: 'default', id: 'x', incarnation: 1 }
