/** Requests that a client sends before it has read the answers to those before them: one is under way at a time. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { NO_LOGGER, NO_METER, NO_REFUSALS } from '@rollcall/core'
import { EMPTY_SIGN } from '@rollcall/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createConnections } from '../../packages/server/src/listener/connections.js'
import { createHttpListener } from '../../packages/server/src/listener/http-listener.js'
import { call, startNode, until } from './native-node.fixture.js'
import { soon } from './support/soon.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`

interface Peer {
  readonly socket: Socket
  text(): string
  readonly ended: Promise<unknown>
}

async function openPeer(port: number): Promise<Peer> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => {})
  const ended = new Promise((resolve) => socket.once('close', resolve))
  cleanUp.push(() => socket.destroy())
  await once(socket, 'connect')
  return { socket, text: () => text, ended }
}

interface Arrived {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** A listener whose requests are answered by the test. */
async function openListener(): Promise<{ port: number; arrived: Arrived[]; upgrades: string[] }> {
  const arrived: Arrived[] = []
  const upgrades: string[] = []
  const deps = { clock: createSystemClock(), logger: NO_LOGGER, meter: NO_METER, refusals: NO_REFUSALS }
  const listener = createHttpListener(
    { ...deps, connections: createConnections(deps, 100) },
    {
      host: '127.0.0.1',
      port: 0,
      mounts: [
        {
          path: '/',
          handleRequest: (request, response) => void arrived.push({ request, response }),
          handleUpgrade(request, socket) {
            upgrades.push(request.url ?? '')
            socket.destroy()
          },
        },
      ],
    },
  )
  cleanUp.push(() => listener.close(0))
  const { port } = await listener.start()
  return { port, arrived, upgrades }
}

describe('requests on one connection', () => {
  it('are handed over one after the other, each when the answer before it is finished', async () => {
    const { port, arrived } = await openListener()
    const peer = await openPeer(port)
    peer.socket.write(get('/1') + post('/2', '{}') + get('/3'))
    for (const [index, path] of ['/1', '/2', '/3'].entries()) {
      await until(() => arrived.length > index, `${path} arrives`, 5_000)
      // Another client is served meanwhile: whatever was to happen at once has happened.
      void fetch(`http://127.0.0.1:${port}/other`).catch(() => {})
      await until(() => arrived.length === index + 2, 'the other client is served', 5_000)
      arrived.pop()?.response.end()
      expect(arrived.map(({ request }) => request.url).at(-1)).toBe(path)
      arrived[index]?.response.end(`answer${path}`)
    }
    await until(() => peer.text().includes('answer/3'), 'all are answered', 5_000)
    expect(peer.text().match(/answer\/\d/g)).toEqual(['answer/1', 'answer/2', 'answer/3'])
  })

  it('that wait go with their connection, and never begin', async () => {
    const { port, arrived } = await openListener()
    const peer = await openPeer(port)
    peer.socket.write(get('/poll').repeat(50))
    await until(() => arrived.length === 1, 'the first arrives', 5_000)
    peer.socket.destroy()
    await once(arrived[0]?.response as ServerResponse, 'close')
    void fetch(`http://127.0.0.1:${port}/other`).catch(() => {})
    await until(() => arrived.at(-1)?.request.url === '/other', 'the other client is served', 5_000)
    arrived.at(-1)?.response.end()
    expect(arrived).toHaveLength(2)
  })

  it('that wait go with a connection that an answer ends', async () => {
    const { port, arrived } = await openListener()
    const peer = await openPeer(port)
    peer.socket.write(get('/last').repeat(3))
    await until(() => arrived.length === 1, 'the first arrives', 5_000)
    arrived[0]?.response.writeHead(200, { Connection: 'close' }).end('the end')
    await soon(peer.ended)
    expect([arrived.length, peer.text().includes('the end')]).toEqual([1, true])
  })

  it.each([
    ['many', (): string => get('/next').repeat(200)],
    ['large', (): string => get('/next', `X: ${'x'.repeat(10_000)}\r\n`).repeat(3)],
    ['with large bodies', (): string => post('/next', 'x'.repeat(20_000))],
    [
      'with bodies of no stated length',
      (): string =>
        `POST /next HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n${'5\r\nhello\r\n'.repeat(9_000)}`,
    ],
  ])('that wait are bounded: of %s one is refused, and the connection ends', async (_, requests) => {
    const { port, arrived } = await openListener()
    const peer = await openPeer(port)
    peer.socket.write(get('/first') + requests())
    let ended = false
    void peer.ended.then(() => (ended = true))
    let answered = 0
    await until(
      () => {
        for (; answered < arrived.length; answered++) arrived[answered]?.response.end()
        return ended
      },
      'the connection ends',
      10_000,
    )
    expect(answered).toBeLessThanOrEqual(130)
    const answers = peer.text().split('HTTP/1.1 ').slice(1)
    expect(answers).toHaveLength(answered + 1)
    expect(answers.at(-1)).toMatch(/^429 .*\r\nRetry-After: \d/s)
    expect(answers.at(-1)).toContain('"code":"limit_exceeded"')
  })

  it('are cut off with their connection when they are far too many', async () => {
    const { port, arrived } = await openListener()
    const peer = await openPeer(port)
    peer.socket.write(get('/first') + get('/next').repeat(12_000))
    await soon(peer.ended)
    expect([arrived.length, peer.text()]).toEqual([1, ''])
  })

  it('are answered in full when an offer of WebSocket comes behind them', async () => {
    const { port, arrived, upgrades } = await openListener()
    const peer = await openPeer(port)
    const offer = get('/ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')
    peer.socket.write(get('/1') + offer)
    await until(() => arrived.length === 1, 'the first arrives', 5_000)
    arrived[0]?.response.end('whole')
    await until(() => arrived.length === 2, 'the offer is a request like any other', 5_000)
    arrived[1]?.response.end()
    expect([peer.text().includes('whole'), upgrades]).toEqual([true, []])
    await until(() => peer.text().split('HTTP/1.1 ').length === 3, 'both are answered', 5_000)
    peer.socket.write(offer)
    await soon(peer.ended)
    expect(upgrades).toEqual(['/ws'])
  })
})

describe('long polls on one connection', () => {
  const poll = get(`/api/v1/services/orders?since=${EMPTY_SIGN}&wait=60s`)

  it.each([
    ['three', poll.repeat(3)],
    ['too many', poll.repeat(200)],
    ['one with a large body behind it', poll + post('/api/v1/register', ' '.repeat(100_000))],
  ])('%s hold one place, and leave none behind', async (_, requests) => {
    const node = await startNode({ closeMsMax: 200 })
    cleanUp.push(() => node.close())
    const peer = await openPeer(node.port)
    peer.socket.write(requests)
    await until(() => node.native.stats().longPolls > 0, 'the first waits', 5_000)
    // The listener has read all it will read once it has served somebody else.
    await call(node, 'GET', '/api/v1/services')
    expect(node.native.stats().longPolls).toBe(1)
    peer.socket.destroy()
    await until(() => node.native.stats().longPolls === 0, 'no poll is left', 1_000)
  })

  it('far too many take no place at all', async () => {
    const node = await startNode({ closeMsMax: 200 })
    cleanUp.push(() => node.close())
    const peer = await openPeer(node.port)
    peer.socket.write(poll.repeat(12_000))
    await soon(peer.ended)
    await until(() => node.native.stats().longPolls === 0, 'no poll is left', 1_000)
    expect(peer.text()).toBe('')
  })

  it('are answered one after the other', async () => {
    const node = await startNode({ closeMsMax: 200 })
    cleanUp.push(() => node.close())
    const peer = await openPeer(node.port)
    peer.socket.write(get(`/api/v1/services/orders?since=${EMPTY_SIGN}&wait=100ms`).repeat(3))
    await until(() => peer.text().split('HTTP/1.1 200').length === 4, 'three answers', 5_000)
    expect(node.native.stats().longPolls).toBe(0)
  })
})
