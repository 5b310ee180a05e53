/** Links between nodes over real sockets, behind the listener of a node. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import {
  NO_LOGGER,
  NO_METER,
  NO_REFUSALS,
  type PeerLinksControl,
  type PeerListener,
  type PeerMessage,
  type PeerNode,
} from '@rollcall/core'
import { createPeerNetwork, PEER_PATH, type PeerNetwork, type PeerOptions } from '@rollcall/protocols/peer'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createConnections } from '../../packages/server/src/listener/connections.js'
import { createHttpListener } from '../../packages/server/src/listener/http-listener.js'
import { createSystemRandom } from '../../packages/server/src/random.js'

const SECRET = 'a secret of the cluster'
const clock = createSystemClock()
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step()
})

interface Node {
  readonly port: number
  readonly self: PeerNode
  readonly network: PeerNetwork
  readonly links: PeerLinksControl
  readonly linked: string[]
  readonly told: PeerMessage[]
  readonly lines: string[]
}

/** A node that listens; without a secret it has not joined its cluster yet. */
async function start(
  id: string,
  secret: string | undefined = SECRET,
  options: PeerOptions = {},
): Promise<Node> {
  const lines: string[] = []
  const logger = { ...NO_LOGGER, warn: (_: object, message: string) => void lines.push(message) }
  const network = createPeerNetwork(
    { clock, random: createSystemRandom(), logger, meter: NO_METER },
    { retryMsMin: 10, retryMsMax: 100, ...options },
  )
  const deps = { clock, logger: NO_LOGGER, meter: NO_METER, refusals: NO_REFUSALS }
  const listener = createHttpListener(
    { ...deps, connections: createConnections(deps, 100) },
    {
      host: '127.0.0.1',
      port: 0,
      mounts: [
        { path: PEER_PATH, ...network },
        { path: '/', handleRequest: (_, response) => void response.end('a node') },
      ],
    },
  )
  const { port } = await listener.start()
  const self: PeerNode = { node: id, address: `127.0.0.1:${port}`, version: '1.0.0' }
  const linked: string[] = []
  const told: PeerMessage[] = []
  const hears: PeerListener = {
    linked: ({ node }) => void linked.push(`+${node}`),
    unlinked: ({ node }) => void linked.push(`-${node}`),
    told: (_, message) => void told.push(message),
    answer: (_, kind) => Promise.resolve((kind === 'probe' ? 'refused' : null) as never),
  }
  const links = secret === '' ? NO_LINKS : network.links(self, secret, hears, 'e1')
  cleanUp.push(
    () => listener.close(0),
    () => network.close(),
  )
  return { port, self, network, links, linked, told, lines }
}

const NO_LINKS = {
  linked: [],
  tell: () => false,
  ask: () => Promise.reject(new Error('not linked')),
  keep() {},
  close() {},
} as PeerLinksControl

async function startLinked(options: PeerOptions = {}): Promise<readonly [Node, Node]> {
  const nodes = [await start('a', SECRET, options), await start('b', SECRET, options)] as const
  for (const { links } of nodes) links.keep(nodes.map(({ self }) => self))
  await vi.waitFor(() => expect(nodes.map(({ linked }) => linked)).toEqual([['+b'], ['+a']]), 10_000)
  return nodes
}

/** What a node answers to bytes, until it hangs up. */
function say(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    for (const part of parts) socket.write(part)
  })
}

function upgrade(headers: readonly string[] = [], protocol = 'rollcall.peer.v1', host = '127.0.0.1'): string {
  return [
    `GET ${PEER_PATH} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${protocol}`,
    ...headers,
    '',
    '',
  ].join('\r\n')
}

/** A masked frame; the mask is zero. */
function frame(payload: string, opcode = 0x81): Buffer {
  const data = Buffer.from(payload)
  const length =
    data.length < 126
      ? Buffer.from([0x80 | data.length])
      : Buffer.from([0xfe, data.length >> 8, data.length & 255])
  return Buffer.concat([Buffer.from([opcode]), length, Buffer.alloc(4), data])
}

const refs = Array.from({ length: 5_000 }, (_, index) => ({
  namespace: 'default',
  service: 'orders',
  group: 'default',
  id: `10.0.0.1:${index}`,
  incarnation: 1,
}))

describe('links of two nodes', () => {
  it('carry what is told and what is asked', async () => {
    const [a, b] = await startLinked()
    expect(a.links.tell('b', { type: 'heard', agoMs: 5, refs })).toBe(true)
    await vi.waitFor(() => {
      const heard = b.told.flatMap((message) => (message.type === 'heard' ? message.refs : []))
      expect(heard).toEqual(refs)
    })
    const key = { namespace: 'default', service: 'orders', group: 'default', id: 'x' }
    expect(await b.links.ask('a', 'explain', key, 5_000)).toBeNull()
  })

  it('stand again after either node was gone', async () => {
    const [a, b] = await startLinked()
    b.network.close()
    await vi.waitFor(() => expect(a.linked).toEqual(['+b', '-b']))
    await expect(
      a.links.ask('b', 'subscribers', { namespace: 'default', service: 's' }, 100),
    ).rejects.toMatchObject({ code: 'unreachable' })
    const back = b.network.links(
      b.self,
      SECRET,
      { linked() {}, unlinked() {}, told() {}, answer: () => Promise.reject(new Error('not asked')) },
      'e1',
    )
    back.keep([a.self])
    await vi.waitFor(() => expect(back.linked).toEqual([a.self]), 10_000)
  })

  it('end when the line goes dead without a word, and stand again over another', async () => {
    const often = { pingMs: 100, silentMs: 1_000, unheardMs: 2_000 }
    const a = await start('a', SECRET, often)
    const b = await start('b', SECRET, often)
    const line = await openLine(b.port)
    const lastOfBoth = (): unknown => [a.linked.at(-1), b.linked.at(-1)]
    a.links.keep([{ ...b.self, address: `127.0.0.1:${line.port}` }])
    b.links.keep([a.self])
    await vi.waitFor(() => expect(lastOfBoth()).toEqual(['+b', '+a']), 10_000)
    line.dead = true
    await vi.waitFor(() => expect(lastOfBoth()).toEqual(['-b', '-a']), 10_000)
    line.dead = false
    await vi.waitFor(() => expect(lastOfBoth()).toEqual(['+b', '+a']), 10_000)
  })

  it('hold no more than a bound for a peer that does not read', async () => {
    const a = await start('a', SECRET, { queueBytesMax: 1_000_000 })
    const b = await start('b')
    const line = await openLine(b.port)
    a.links.keep([{ ...b.self, address: `127.0.0.1:${line.port}` }])
    b.links.keep([a.self])
    await vi.waitFor(() => expect(a.linked).toEqual(['+b']), 10_000)
    line.dead = true
    let taken = 0
    for (let round = 0; round < 2_000; round++)
      if (a.links.tell('b', { type: 'heard', agoMs: 0, refs })) taken++
    expect(taken).toBeLessThan(2_000)
  })
})

describe('what is no node of the cluster', () => {
  it('is told nothing', async () => {
    const { port, lines } = await start('b')
    expect(
      await say(port, `GET ${PEER_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`),
    ).toContain('404')
    expect(await say(port, upgrade([], 'rollcall.peer.v2'))).toContain('400 Refused')
    expect(await say(port, upgrade([], 'rollcall.v1'))).toContain('400 Refused')
    expect(await say(port, upgrade(['Origin: http://127.0.0.1']))).toContain('403 Refused')
    expect(await say(port, upgrade([], undefined, 'evil.example'))).toContain('403 Refused')
    expect(lines).toEqual([])
  })

  it('is told that the node has not joined, where there is no secret yet', async () => {
    const { port } = await start('b', '')
    expect(await say(port, upgrade())).toContain('503 Refused')
  })

  it('is let in by no garbage, and harms no link that stands', async () => {
    const [a, b] = await startLinked({ handshakeMs: 500 })
    const proof = {
      type: 'prove',
      node: 'a',
      to: 'b',
      epoch: 'e1',
      nonce: '0'.repeat(64),
      proof: '0'.repeat(64),
    }
    const garbage: readonly (readonly (string | Buffer)[])[] = [
      [upgrade(), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
      [upgrade(), frame('')],
      [upgrade(), frame('\u0000'.repeat(10))],
      [upgrade(), frame('{"type":"ping","at":1}')],
      [upgrade(), frame('{"type":"prove"}', 0x82)],
      [upgrade(), frame(JSON.stringify(proof))],
      [upgrade(), frame(JSON.stringify({ ...proof, proof: 1 }))],
      [upgrade(), frame(JSON.stringify({ ...proof, node: {} }))],
      [upgrade(), frame(`{"type":"prove","node":"${'x'.repeat(5_000)}"}`)],
      [upgrade(), frame('['.repeat(60_000))],
      [upgrade(), Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0])],
      [upgrade()],
    ]
    for (const answer of await Promise.all(garbage.map((parts) => say(b.port, ...parts)))) {
      expect(answer).toContain('101 Switching Protocols')
      expect(answer).not.toContain('proven')
    }
    expect([a.linked, b.linked]).toEqual([['+b'], ['+a']])
    expect(b.lines.length).toBeLessThan(6)
  })

  it('cannot keep a peer out by holding connections', async () => {
    const a = await start('a')
    const b = await start('b', SECRET, { strangersMax: 4 })
    const held = Array.from(
      { length: 20 },
      () => new WebSocket(`ws://127.0.0.1:${b.port}${PEER_PATH}`, 'rollcall.peer.v1'),
    )
    for (const ws of held) ws.on('error', () => {})
    cleanUp.push(() => held.forEach((ws) => ws.terminate()))
    for (const { links } of [a, b]) links.keep([a.self, b.self])
    await vi.waitFor(() => expect(b.linked).toEqual(['+a']), 10_000)
  })
})

/** A line to a port that can be made to carry nothing, in either direction, without ending. */
async function openLine(target: number): Promise<{ readonly port: number; dead: boolean }> {
  const line = { port: 0, dead: false }
  const sockets = new Set<Socket>()
  const carry = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('error', () => {})
    // A dead line reads nothing: what is sent stays in the buffers before it.
    from.on('data', (data) => {
      if (line.dead) from.pause()
      else to.write(data)
    })
    from.on('close', () => line.dead || to.destroy())
  }
  const server: Server = createServer((near) => {
    if (line.dead) {
      near.destroy()
      return
    }
    const far = connect(target, '127.0.0.1')
    carry(near, far)
    carry(far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address === 'object' && address !== null) line.port = address.port
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return line
}
