/** A node that starts from an old backup, with the clients that lived on: what comes back, what is wrong for a while, what is gone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Rollcall } from '@rollcall/client'
import { killCommands, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { HeartbeatResponse, View } from '@rollcall/wire'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApi, type Api } from './http-calls.js'

let folder: string
const open: { close(): unknown }[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-restored-'))
})

afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
  await killCommands()
  rmSync(folder, { recursive: true, force: true })
})

async function listen(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(server)
  return { server, port: (server.address() as AddressInfo).port }
}

async function client({ url }: ServerProcess): Promise<Rollcall> {
  const rollcall = await connect({ registries: [url], snapshotDir: join(folder, 'snapshots') })
  open.push(rollcall)
  return rollcall
}

async function journal(...args: string[]): Promise<string> {
  const command = startCommand(['journal', ...args])
  expect(await command.exited, command.stderr()).toEqual({ code: 0, signal: null })
  return command.stdout() + command.stderr()
}

async function statesOf(api: Api): Promise<Record<string, string>> {
  const { instances } = (await api.get('/api/v1/services/orders')).body as View
  return Object.fromEntries(instances.map(({ id, state }) => [id, state]))
}

it('living clients put it right, what was deregistered since is not called for long, and old removals stay', async () => {
  const data = join(folder, 'data')
  const first = await startServerProcess({ dataDir: data })
  const api = createApi(first)
  open.push(api)
  const register = async (id: string, port: number, more: object = {}): Promise<void> => {
    const instance = { service: 'orders', id, host: '127.0.0.1', port, leaseMs: 2_000, ...more }
    expect((await api.post('/api/v1/register', { instances: [instance] })).body).toMatchObject({
      results: [{ ok: true, durability: 'disk' }],
    })
  }
  const leave = (id: string): Promise<unknown> =>
    api.post('/api/v1/deregister', { instances: [{ service: 'orders', id }] })
  const put = (id: string, wish: object): Promise<unknown> =>
    api.call('PUT', '/api/v1/overrides', {
      json: { instances: [{ service: 'orders', id }], ...wish, why: 'test' },
    })
  const living = await listen()
  const closing = await listen()

  // Before the backup: an SDK, a client that beats, one that is static, one banned, one that has left, one that will leave.
  const consumer = await client(first)
  const provider = await client(first)
  await provider.register({ service: 'orders', id: 'sdk', host: '127.0.0.1', port: living.port })
  await register('beating', living.port)
  await register('fixed', living.port, { liveness: 'static' })
  await register('banned', living.port, { liveness: 'static' })
  await put('banned', { disable: true })
  await register('left-before', closing.port)
  await leave('left-before')
  await register('left-after', closing.port)
  const beat = async (): Promise<HeartbeatResponse | undefined> => {
    try {
      const instances = [{ service: 'orders', id: 'beating' }]
      return (await api.post('/api/v1/heartbeat', { instances })).body as HeartbeatResponse
    } catch {
      return undefined
    }
  }
  const beats = setInterval(() => void beat(), 400)
  open.push({ close: () => clearInterval(beats) })
  const orders = consumer.service('orders')
  await orders.ready()
  const backup = join(folder, 'old.backup')
  await journal('backup', '--data', data, '--to', backup)

  // Since then: one left and its process ended, one came, an operator banned another.
  await leave('left-after')
  closing.server.close()
  const later = await client(first)
  await later.register({ service: 'orders', id: 'came-after', host: '127.0.0.1', port: living.port })
  await put('fixed', { disable: true })
  await expect
    .poll(() =>
      orders
        .instances()
        .map(({ id }) => id)
        .sort(),
    )
    .toContain('came-after')
  const before = { sdk: 'up', beating: 'up', banned: 'disabled' }
  expect(await statesOf(api)).toEqual({ ...before, fixed: 'disabled', 'came-after': 'up' })

  // The disk is lost.
  await first.kill()
  rmSync(data, { recursive: true })
  expect(await journal('restore', backup, '--data', data)).toMatch(
    /5 instances, 1 removed .*comes back by itself/s,
  )
  const second = await startServerProcess({ dataDir: data, listen: `127.0.0.1:${first.port}` })
  expect(second.stdout()).toMatch(/"journal read"/)

  // At once: as the backup has it. What left before it stays away; what left since is listed, and said to be.
  const begun = await statesOf(api)
  expect(begun).toMatchObject({ fixed: 'up', banned: 'disabled' })
  expect(begun).toHaveProperty('left-after')
  expect(begun).not.toHaveProperty('left-before')
  // Then the living say what is true, with no hand of a person.
  const expected = { ...before, fixed: 'up', 'came-after': 'up' }
  await expect.poll(() => statesOf(api)).toMatchObject(expected)
  await expect.poll(async () => (await statesOf(api))['left-after']).not.toBe('up')
  expect(await beat()).toEqual({ unknown: [], deregistered: [], superseded: [] })
  // Its port refuses, so it does not stay a suspect for long; a consumer never chooses it beside those that are up.
  await expect.poll(async () => (await statesOf(api))['left-after']).toMatch(/suspect|down/)
  await expect.poll(() => orders.instances().filter(({ state }) => state === 'up').length).toBe(4)
  for (let n = 0; n < 50; n++) expect(orders.pick().id).not.toBe('left-after')
  // What is deregistered now is so for good, though the backup had it alive.
  await leave('left-after')
  expect(await statesOf(api)).not.toHaveProperty('left-after')
  await second.kill()
  await startServerProcess({ dataDir: data, listen: `127.0.0.1:${first.port}` })
  expect(await statesOf(api)).not.toHaveProperty('left-after')
})
