/** Handshakes over memory and a hand clock: what is let in, and what is not. */
import { describe, expect, it } from 'vitest'
import { proofOf } from './proof.js'
import { pair, SECRET, TestNodes } from './two-nodes.fixture.js'

describe('a handshake is refused', () => {
  it('for the wrong secret, on both sides, again and again, with few lines', () => {
    const nodes = new TestNodes()
    const a = nodes.node('a', { secret: 'another' })
    const b = nodes.node('b')
    nodes.linked(a, b)
    nodes.clock.advance(50_000)
    expect([a.links, b.links]).toEqual([[], []])
    expect(b.lines).toEqual(['refused a link: wrong secret'])
    expect(nodes.network.connections.length).toBeLessThan(30)
    expect(a.lines).toEqual(['no link to a node of the cluster: connection ended'])
  })

  it('by the node that dials, where the other one proves nothing', () => {
    const nodes = new TestNodes()
    const a = nodes.node('a')
    const b = nodes.node('b')
    const got: string[] = []
    nodes.network.listen('b:7400', (socket) => ({
      received(text) {
        got.push(text)
        socket.send(JSON.stringify({ type: 'proven', proof: '0'.repeat(64) }))
      },
      drained() {},
      closed() {},
    }))
    a.peers.keep([b.self])
    nodes.clock.advance(50)
    nodes.network.connections[0]?.accepter.send(
      JSON.stringify({ type: 'challenge', challenge: 'c'.repeat(64) }),
    )
    nodes.clock.advance(10)
    expect(got).toHaveLength(1)
    expect(a.links).toEqual([])
    expect(nodes.network.connections[0]?.dialler.closed).toBe(true)
  })

  it('for another epoch, also where the proving node lies about its own', () => {
    const nodes = new TestNodes()
    const a = nodes.node('a', { epoch: 'e0' })
    const b = nodes.node('b')
    nodes.linked(a, b)
    expect(b.lines).toEqual(['refused a link: other epoch'])
    const line = connectAs(nodes, (challenge) => {
      const terms = { challenge, nonce: 'd'.repeat(64), dialler: 'a', accepter: 'b', epoch: 'e0' }
      return { node: 'a', to: 'b', epoch: 'e1', nonce: terms.nonce, proof: proofOf(SECRET, 'dialler', terms) }
    })
    expect(line.closedWith()).toBe(4403)
    expect(b.lines).toContain('refused a link: wrong secret')
  })

  it('for an old proof', () => {
    const { nodes, b } = pair()
    const old = nodes.network.connections[0]?.dialler.sent[0] ?? ''
    const line = connectAs(nodes, () => JSON.parse(old) as object)
    expect(line.closedWith()).toBe(4403)
    expect(b.lines).toEqual(['refused a link: wrong secret'])
    expect(b.links).toEqual(['+a'])
  })

  it('for a proof that was made by the accepter itself', () => {
    const { nodes, b } = pair()
    const reflected = connectAs(nodes, (challenge) => {
      const terms = { challenge, nonce: 'd'.repeat(64), dialler: 'a', accepter: 'b', epoch: 'e1' }
      return {
        node: 'a',
        to: 'b',
        epoch: 'e1',
        nonce: terms.nonce,
        proof: proofOf(SECRET, 'accepter', terms),
      }
    })
    expect(reflected.closedWith()).toBe(4403)
    expect(b.links).toEqual(['+a'])
  })

  it('for a node that the engine does not name, and for one that is dialled by this one', () => {
    const nodes = new TestNodes()
    const b = nodes.node('b')
    const a = nodes.node('a')
    const c = nodes.node('c')
    a.peers.keep([b.self])
    nodes.clock.advance(100)
    expect(b.lines).toEqual(['refused a link: unknown node'])
    b.peers.keep([a.self, c.self])
    const line = connectAs(nodes, (challenge) => {
      const terms = { challenge, nonce: 'd'.repeat(64), dialler: 'c', accepter: 'b', epoch: 'e1' }
      return { node: 'c', to: 'b', epoch: 'e1', nonce: terms.nonce, proof: proofOf(SECRET, 'dialler', terms) }
    })
    expect(line.closedWith()).toBe(4403)
    nodes.clock.advance(10_000)
    expect(a.links).toEqual(['+b'])
  })

  it('when it takes too long, and when too many are under way the oldest goes', () => {
    const nodes = new TestNodes()
    const b = nodes.node('b', { options: { strangersMax: 2 } })
    const lines = [1, 2, 3].map(() => nodes.network.connect('b:7400'))
    nodes.clock.advance(100)
    expect(lines.map(({ closed }) => closed)).toEqual([true, false, false])
    nodes.clock.advance(3_000)
    expect(lines.map(({ closed }) => closed)).toEqual([true, true, true])
    expect(b.lines).toEqual(['refused a link: out of time'])
  })
})

/** Connects to b and answers its challenge. */
function connectAs(nodes: TestNodes, prove: (challenge: string) => object): { closedWith(): number } {
  const socket = nodes.network.connect('b:7400')
  let closedWith = 0
  socket.events = {
    received(text) {
      const { challenge } = JSON.parse(text) as { challenge?: string }
      if (challenge !== undefined) socket.send(JSON.stringify({ type: 'prove', ...prove(challenge) }))
    },
    drained() {},
    closed: (code) => (closedWith = code),
  }
  nodes.clock.advance(20)
  return { closedWith: () => closedWith }
}
