/** Links over memory and a hand clock: silence, bounds, and one link between two nodes. */
import { describe, expect, it } from 'vitest'
import type { HeardRef, Learnable, PeerMessage } from '@rollcall/core'
import { recordOf } from './entries.fixture.js'
import { pair, SECRET } from './two-nodes.fixture.js'

const REPORT: PeerMessage = {
  type: 'report',
  report: { island: false, stopping: false, judges: 1, sessions: 2, unpublished: 0, lagMs: 0, divergence: 0 },
}

function refs(count: number, incarnation = 1): HeardRef[] {
  return Array.from({ length: count }, (_, index) => ({
    namespace: 'default',
    service: `service-${index % 7}`,
    group: 'default',
    id: `10.0.0.1:${index}`,
    incarnation,
  }))
}

describe('a link', () => {
  it('is one between two nodes, dialled by the smaller id', () => {
    const { nodes, a, b } = pair()
    expect([a.links, b.links]).toEqual([['+b'], ['+a']])
    expect(a.peers.linked).toEqual([b.self])
    nodes.clock.advance(60_000)
    expect(nodes.network.connections).toHaveLength(1)
    expect([a.links, b.links]).toEqual([['+b'], ['+a']])
  })

  it('says nothing that is the secret, and a stranger sees nothing but chance', () => {
    const { nodes } = pair()
    const [{ dialler, accepter }] = nodes.network.connections as [(typeof nodes.network.connections)[0]]
    expect([...dialler.sent, ...accepter.sent].join('')).not.toContain(SECRET)
    const other = nodes.network.connect('b:7400')
    let closedWith = 0
    const texts: string[] = []
    other.events = {
      received: (text) => texts.push(text),
      drained() {},
      closed: (code) => (closedWith = code),
    }
    nodes.clock.advance(10)
    other.send('{"type":"prove"}')
    nodes.clock.advance(10)
    expect(texts.map((text) => Object.keys(JSON.parse(text) as object))).toEqual([['type', 'challenge']])
    expect(closedWith).toBe(4403)
  })

  it('carries reports and signs of life both ways, keys once and numbers from then on', () => {
    const { nodes, a, b } = pair()
    expect(a.peers.tell('b', REPORT)).toBe(true)
    expect(b.peers.tell('a', { type: 'heard', agoMs: 100, refs: refs(3) })).toBe(true)
    nodes.clock.advance(10)
    expect(b.told).toEqual([REPORT])
    expect(a.told).toEqual([{ type: 'heard', agoMs: 100, refs: refs(3) }])
    b.peers.tell('a', { type: 'heard', agoMs: 7, refs: refs(3).toReversed() })
    nodes.clock.advance(10)
    expect(a.told[1]).toEqual({ type: 'heard', agoMs: 7, refs: refs(3).toReversed() })
    const sent = nodes.network.connections[0]?.accepter.sent.filter((text) => text.includes('heard')) ?? []
    expect(sent[0]).toContain('10.0.0.1:1')
    expect(sent[1]).not.toContain('10.0.0.1')
    expect(sent[1]).toContain('"refs":[2,1,0]')
  })

  it('begins its numbers anew when they are used up', () => {
    const { nodes, a, b } = pair({ handlesMax: 10 })
    for (let incarnation = 1; incarnation < 6; incarnation++) {
      a.peers.tell('b', { type: 'heard', agoMs: 0, refs: refs(4, incarnation) })
      nodes.clock.advance(10)
      expect(b.told[incarnation - 1]).toMatchObject({ refs: refs(4, incarnation) })
    }
    expect(b.links).toEqual(['+a'])
  })

  it('is not alive for what was delayed on the way', () => {
    const { nodes, a, b } = pair()
    nodes.clock.advance(1_500)
    nodes.network.stuck = true
    a.peers.tell('b', { type: 'heard', agoMs: 100, refs: refs(1) })
    nodes.clock.advance(800)
    nodes.network.stuck = false
    nodes.network.connections[0]?.dialler.flush()
    expect(b.told).toEqual([{ type: 'heard', agoMs: 899, refs: refs(1) }])
  })

  it('hands a long learn on in slices, the unreadable left out', () => {
    const { nodes, a, b } = pair()
    const entries: Learnable[] = Array.from({ length: 5_000 }, (_, index) =>
      recordOf(`10.0.0.1:${index + 1}`),
    )
    const register = { counter: 1, node: 'a', value: null }
    const odd = { kind: 'riddle', register } as unknown as Learnable
    expect(a.peers.tell('b', { type: 'learn', entries: [odd, ...entries] })).toBe(true)
    nodes.clock.advance(1_000)
    const learnt = b.told.flatMap((message) => (message.type === 'learn' ? [message.entries] : []))
    expect(learnt.flat()).toEqual(entries)
    expect(Math.max(...learnt.map(({ length }) => length))).toBeLessThan(300)
    const frames = nodes.network.connections[0]?.dialler.sent ?? []
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThan(70_000)
  })

  it('takes no more than may wait, and goes on when there is room', () => {
    const { nodes, a, b } = pair({ queueBytesMax: 20_000, bufferBytesMax: 1_000 })
    nodes.network.stuck = true
    let taken = 0
    while (a.peers.tell('b', { type: 'heard', agoMs: 0, refs: refs(100) })) taken++
    expect(taken).toBeGreaterThan(2)
    expect(taken).toBeLessThan(6)
    nodes.clock.advance(100)
    nodes.network.stuck = false
    nodes.network.connections[0]?.dialler.flush()
    nodes.clock.advance(100)
    expect(b.told).toHaveLength(taken)
    expect(a.peers.tell('b', REPORT)).toBe(true)
  })

  it('that goes silent in one direction or both ends, is told, and stands again when the line does', () => {
    const { nodes, a, b } = pair()
    nodes.clock.advance(5_000)
    nodes.network.cut = true
    nodes.clock.advance(3_100)
    expect([a.links, b.links]).toEqual([
      ['+b', '-b'],
      ['+a', '-a'],
    ])
    expect(a.peers.tell('b', REPORT)).toBe(false)
    nodes.clock.advance(60_000)
    nodes.network.cut = false
    nodes.clock.advance(6_000)
    expect([a.links, b.links]).toEqual([
      ['+b', '-b', '+b'],
      ['+a', '-a', '+a'],
    ])
  })

  it('over which this node is not heard ends, although the peer is heard', () => {
    const { nodes, a } = pair()
    nodes.clock.advance(3_000)
    const end = nodes.network.connections[0]
    if (end === undefined) throw new Error('no connection')
    // What a sends is lost; what b sends arrives.
    end.dialler.send = () => {}
    end.accepter.events = { received() {}, drained() {}, closed() {} }
    end.accepter.destroy = () => {}
    const echoless = JSON.stringify({ type: 'ping', at: 0, echo: 0 })
    for (let second = 0; second < 6; second++) {
      nodes.clock.advance(1_000)
      end.accepter.send(echoless)
    }
    expect(a.links.slice(0, 2)).toEqual(['+b', '-b'])
  })

  it('outlives a node that stood still', () => {
    const { nodes, a, b } = pair()
    nodes.clock.advance(2_500)
    const now = nodes.clock.now.bind(nodes.clock)
    // Ten seconds in which no timer ran and nothing was read.
    nodes.clock.now = () => now() + 10_000
    nodes.clock.advance(5_000)
    expect([a.links, b.links]).toEqual([['+b'], ['+a']])
  })

  it('that is dialled again replaces the one that is half-open', () => {
    const { nodes, a, b } = pair()
    const again = nodes.node('a')
    again.peers.keep([a.self, b.self])
    nodes.clock.advance(100)
    expect(b.links).toEqual(['+a', '-a', '+a'])
    expect(b.peers.linked).toEqual([a.self])
    expect(again.links).toEqual(['+b'])
  })

  it('ends with a node that is no longer named, and with close', () => {
    const { nodes, a, b } = pair()
    b.peers.keep([])
    nodes.clock.advance(100)
    expect([a.links, b.links]).toEqual([
      ['+b', '-b'],
      ['+a', '-a'],
    ])
    b.peers.keep([a.self])
    nodes.clock.advance(10_000)
    expect(a.links).toEqual(['+b', '-b', '+b'])
    a.peers.close()
    a.peers.close()
    nodes.clock.advance(10_000)
    expect(b.links.at(-1)).toBe('-a')
    b.peers.close()
    nodes.clock.advance(10_000)
    expect(nodes.clock.timers).toEqual([])
  })

  it.each([
    '',
    'x',
    '[]',
    '{}',
    '{"type":"heard"}',
    '{"type":"heard","at":0,"agoMs":0,"refs":[7]}',
    '{"type":"ping","at":"x"}',
    '{"type":"heard","at":0,"agoMs":0,"reset":true,"keys":[["a/b","s","g","i",1]],"refs":[0]}',
    '{"type":"ask","id":1,"kind":"constructor","question":{}}',
    '{"type":"ping","at":1,"echo":1e12}',
    '{"type":"report","report":{"judges":-1}}',
  ])('ends on garbage: %s', (garbage) => {
    const { nodes, a, b } = pair()
    nodes.network.connections[0]?.dialler.send(garbage)
    nodes.clock.advance(10)
    expect(b.links).toEqual(['+a', '-a'])
    nodes.clock.advance(10_000)
    expect(a.links).toEqual(['+b', '-b', '+b'])
  })

  it('passes over what only a newer node says', () => {
    const { nodes, b } = pair()
    nodes.network.connections[0]?.dialler.send('{"type":"sing","song":1}')
    nodes.clock.advance(10)
    expect(b.links).toEqual(['+a'])
  })
})
