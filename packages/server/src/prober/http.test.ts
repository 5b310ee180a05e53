/** The HTTP probe over a connection in memory. */
import { once } from 'node:events'
import type { ProbeRequest } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { memoryConnection } from './memory-socket.fixture.js'
import { HTTP_PROBE } from './http.js'
import type { ProbeAnswer } from './socket.js'

/** Asks a server that answers with these words, whatever it is asked, and then hangs up if it is told to. */
async function ask(
  words: string | readonly string[],
  change: Partial<ProbeRequest> = {},
  hangUp = false,
): Promise<ProbeAnswer & { readonly asked: string }> {
  const { near, far } = memoryConnection()
  const request: ProbeRequest = {
    key: { namespace: 'default', service: 'orders', group: 'default', id: 'a' },
    incarnation: 1,
    host: 'orders.example',
    port: 3000,
    type: 'http',
    purpose: 'evidence',
    timeoutMs: 1_000,
    delayMs: 0,
    ...change,
  }
  const answer = new Promise<ProbeAnswer>((resolve) => {
    const release = HTTP_PROBE.conversation(request)(near, (result) => {
      release()
      near.destroy()
      resolve(result)
    })
  })
  near.on('error', () => {})
  far.on('error', () => {})
  const [asked] = (await once(far, 'data')) as [Buffer]
  for (const each of [words].flat()) far.write(each)
  if (hangUp) far.end()
  return { ...(await answer), asked: asked.toString() }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('what an HTTP probe sends', () => {
  it('is one request for one connection, by the registered name', async () => {
    const { asked } = await ask(OK)
    expect(asked).toBe(
      'GET / HTTP/1.1\r\nhost: orders.example:3000\r\nuser-agent: rollcall-probe\r\naccept: */*\r\nConnection: close\r\n\r\n',
    )
  })

  it('is what the instance wished', async () => {
    const headers = { Host: 'shop.example', 'X-Token': 'a b' }
    const { asked } = await ask(OK, { path: '/health?full=1', headers })
    expect(asked.split('\r\n')).toEqual(
      expect.arrayContaining(['GET /health?full=1 HTTP/1.1', 'host: shop.example', 'x-token: a b']),
    )
    expect(asked).not.toContain('orders.example')
  })

  it('names an IPv6 host in brackets', async () => {
    expect((await ask(OK, { host: 'fd00::5' })).asked).toContain('host: [fd00::5]:3000\r\n')
  })
})

describe('the answer to an HTTP probe', () => {
  it.each<[string, ProbeRequest['status'], string | undefined]>([
    ['200 OK', undefined, undefined],
    ['204 No Content', undefined, undefined],
    ['302 Found\r\nLocation: http://169.254.169.254/', undefined, 'status 302'],
    ['503 Service Unavailable', undefined, 'status 503'],
    ['503 Service Unavailable', '200-299,503', undefined],
    ['200 OK', 204, 'status 200'],
  ])('%s where %s counts', async (line, status, cause) => {
    const change = status === undefined ? {} : { status }
    const answer = await ask(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`, change)
    expect(answer.outcome).toBe(cause === undefined ? 'succeeded' : 'failed')
    expect(answer.cause).toBe(cause)
  })

  it('may come after others that only say wait, and may end with the connection', async () => {
    const words = ['HTTP/1.1 103 Early Hints\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', 'ok']
    expect((await ask(words, {}, true)).outcome).toBe('succeeded')
  })

  it('need not be read to the end', async () => {
    const endless = [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      `2000\r\n${'x'.repeat(0x2000)}\r\n`,
    ]
    expect((await ask(endless)).outcome).toBe('succeeded')
  })

  it.each([
    ['silence', '', 'ECONNRESET'],
    ['a promise that is not kept', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', 'response cut short'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 'HPE_INVALID_CONSTANT'],
    ['too many headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`, 'HPE_HEADER_OVERFLOW'],
    [
      'an upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
      'no response',
    ],
  ])('is failed when it is %s', async (_, words, cause) => {
    expect(await ask(words, {}, true)).toMatchObject({ outcome: 'failed', cause })
  })
})
