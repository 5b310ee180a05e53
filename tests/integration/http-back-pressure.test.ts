/**
 * What one client can cost a node over HTTP when it asks and does not read, or sends and does not finish: a process with a
 * heap of 256 MiB refuses, lives on, and serves a living service of somebody else meanwhile.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createApi, metric, type Api } from './http-calls.js'
import { call, instance, startNode, until } from './native-node.fixture.js'

const HEAP_MB = 256
const HOST = 'Host: 127.0.0.1\r\n'
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`

let server: ServerProcess
let api: Api
const attackers: Socket[] = []

/** A connection of another machine than the living service. */
async function attacker(bytes: string | Buffer): Promise<Socket> {
  const socket = connect({ host: server.host, port: server.port, localAddress: '127.0.0.2' })
  attackers.push(socket.on('error', () => {}).pause())
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

async function release(): Promise<void> {
  for (const socket of attackers.splice(0)) socket.destroy()
  await expect.poll(() => metric(api, 'rollcall_budget_used{quota="connectionsMax"}')).toBeLessThan(3)
  await expect.poll(() => metric(api, 'rollcall_budget_used_bytes{quota="unsentBytesMax"}')).toBe(0)
  expect(await metric(api, 'rollcall_budget_used_bytes{quota="receivedBytesMax"}')).toBe(0)
}

/** A service of somebody else registers, beats, is found and leaves, each within a second. */
async function live(id: string): Promise<void> {
  const one = { service: 'payments', id }
  const steps: [string, unknown][] = [
    ['register', { ...one, host: '127.0.0.1', port: 1 }],
    ['heartbeat', one],
    ['deregister', one],
  ]
  for (const [path, item] of steps) {
    const { status, body } = await api.post(`/api/v1/${path}`, { instances: [item] })
    expect([status, JSON.stringify(body)]).toEqual([200, expect.not.stringContaining('"error')])
    if (path === 'heartbeat')
      expect(JSON.stringify((await api.get('/api/v1/services/payments')).body)).toContain(`"id":"${id}"`)
  }
}

describe('one client', () => {
  const note = 'x'.repeat(2_000)
  const change = (port: number): Promise<unknown> =>
    api.post('/api/v1/register', {
      instances: [
        { service: 'big', id: 'i0', host: '10.0.0.1', port, metadata: { note }, liveness: 'static' },
      ],
    })

  beforeAll(async () => {
    server = await startServerProcess({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } })
    api = createApi(server)
    for (let batch = 0; batch < 5; batch++) {
      const instances = Array.from({ length: 2_000 }, (_, index) => ({
        service: 'big',
        id: `i${batch * 2_000 + index}`,
        host: '10.0.0.1',
        port: 1,
        metadata: { note },
        liveness: 'static',
      }))
      await api.post('/api/v1/register', { instances })
    }
  })
  afterEach(release)
  afterAll(async () => {
    api.close()
    await killServerProcesses()
  })

  it('that asks for 30 different lists of 20 MB and reads none holds what the account allows', async () => {
    const max = await metric(api, 'rollcall_budget_max_bytes{quota="unsentBytesMax"}')
    const before = await metric(api, 'process_resident_memory_bytes')
    let most = 0
    for (let n = 0; n < 30; n++) {
      await change(n + 2)
      await attacker(get('/api/v1/services/big?state=up'))
      await live(`p${n}`)
      most = Math.max(most, await metric(api, 'rollcall_budget_used_bytes{quota="unsentBytesMax"}'))
    }
    expect(most).toBeGreaterThan(max / 4)
    expect(most).toBeLessThanOrEqual(max)
    expect(await metric(api, 'rollcall_limit_refusals_total')).toBeGreaterThan(20)
    // Three lists that are held, those of the cache, and what was being made.
    expect((await metric(api, 'process_resident_memory_bytes')) - before).toBeLessThan(400_000_000)
  }, 120_000)

  it('that is refused learns when to come back, and of which quota it was', async () => {
    for (let n = 0; n < 4; n++) {
      await change(n + 100)
      await attacker(get('/api/v1/services/big'))
      await api.get('/api/v1/services/payments?wait=1ms&since=0000000000000000')
    }
    const socket = await attacker('')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await change(200)
    socket.resume().write(get('/api/v1/services/big'))
    await until(() => text.includes('}}'), 'the refusal', 10_000)
    expect(text).toMatch(/^HTTP\/1\.1 429 .*\r\nRetry-After: 5\r\n/s)
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({
      error: { code: 'limit_exceeded', details: { quota: 'unsentBytesMax', over: expect.any(String) } },
    })
  }, 60_000)

  it('that sends 12 KB of lookups of such a list in one write costs one list', async () => {
    const before = await metric(api, 'process_resident_memory_bytes')
    await change(300)
    await attacker(get('/api/v1/services/big?state=up').repeat(170))
    for (let n = 0; n < 10; n++) await live(`q${n}`)
    expect(await metric(api, 'rollcall_budget_used_bytes{quota="unsentBytesMax"}')).toBeLessThan(30_000_000)
    expect((await metric(api, 'process_resident_memory_bytes')) - before).toBeLessThan(200_000_000)
  }, 60_000)

  it('that sends 12,000 polls in one write takes no place of others', async () => {
    const poll = get('/api/v1/services/nothing?since=0000000000000000&wait=60s')
    const socket = await attacker(poll.repeat(12_000))
    await live('r')
    await expect.poll(() => metric(api, 'rollcall_budget_used{quota="waitersMax"}')).toBe(0)
    expect(socket.destroyed || (await metric(api, 'rollcall_budget_used{quota="connectionsMax"}')) < 3).toBe(
      true,
    )
  }, 60_000)

  it('that begins 60 bodies of 8 MB and ends none is refused most of them', async () => {
    const head = `POST /api/v1/register HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 8000000\r\n\r\n`
    const part = Buffer.from(head + ' '.repeat(4_000_000))
    const max = await metric(api, 'rollcall_budget_max_bytes{quota="receivedBytesMax"}')
    const before = await metric(api, 'process_resident_memory_bytes')
    await Promise.all(Array.from({ length: 60 }, () => attacker(part)))
    await expect
      .poll(() => metric(api, 'rollcall_budget_used_bytes{quota="receivedBytesMax"}'))
      .toBeGreaterThan(7_000_000)
    expect(await metric(api, 'rollcall_budget_used_bytes{quota="receivedBytesMax"}')).toBeLessThanOrEqual(max)
    for (let n = 0; n < 10; n++) await live(`s${n}`)
    expect((await metric(api, 'process_resident_memory_bytes')) - before).toBeLessThan(200_000_000)
  }, 60_000)
})

describe('a body', () => {
  const keys = (count: number): string =>
    `{"instances":[],${Array.from({ length: count }, (_, index) => `"k${index}":1`).join()}}`

  it.each([
    ['a declaration', 'PUT', '/api/v1/services/a', ' '.repeat(600_000), 413, 'body_too_large'],
    ['a freeze', 'PUT', '/api/v1/freeze', ' '.repeat(20_000), 413, 'body_too_large'],
    ['brackets a million deep', 'POST', '/api/v1/register', '['.repeat(1_000_000), 400, 'malformed'],
    ['unknown keys', 'POST', '/api/v1/heartbeat', keys(600_000), 400, 'malformed'],
  ])('of %s is bounded by what it can need', async (_, method, path, body, status, code) => {
    const node = await startNode({ closeMsMax: 200 })
    try {
      const answer = await call(node, method, path, body)
      expect([answer.status, answer.body.error.code]).toEqual([status, code])
    } finally {
      await node.close()
    }
  })
})

describe('an answer', () => {
  it('of which nothing is taken for too long ends its connection', async () => {
    const node = await startNode({ stalledMsMax: 300, closeMsMax: 200 })
    const socket = connect(node.port, '127.0.0.1').on('error', () => {})
    try {
      const note = 'x'.repeat(8_000)
      for (let batch = 0; batch < 10; batch++) {
        const instances = Array.from({ length: 500 }, (_, index) =>
          instance(`i${batch}-${index}`, { metadata: { note } }),
        )
        await call(node, 'POST', '/api/v1/register', { instances })
      }
      socket.pause().write(get('/api/v1/services/orders'))
      await until(() => node.budgets.unsent.used > 20_000_000, 'the answer waits for its reader', 10_000)
      await until(() => node.budgets.unsent.used === 0, 'the answer is given up', 10_000)
      // Whoever reads, however slowly, gets all of it.
      const { body } = await call(node, 'GET', '/api/v1/services/orders')
      expect(body.instances).toHaveLength(5_000)
    } finally {
      socket.destroy()
      await node.close()
    }
  }, 60_000)
})
