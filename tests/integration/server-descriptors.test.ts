/** A node with few file descriptors: connections that would take the last of them are refused, told of and counted. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { RegisterResponse } from '@rollcall/wire'
import { afterEach, expect, it } from 'vitest'
import { createApi, metric } from './http-calls.js'

const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-descriptors-'))
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await killServerProcesses()
  rmSync(dataDir, { recursive: true })
})

it('with 256 descriptors and 400 connections writes to disk, through every change of its files', async () => {
  const args = ['--journal-rotate-bytes-min', '65536']
  const server = await startServerProcess({ dataDir, args, openFilesMax: 256 })
  expect(server.stdout()).toMatch(/"limit":256,"connectionsMax":144,.*ulimit -n/)
  const api = createApi(server)
  await api.get('/livez')
  const ends: Promise<unknown>[] = []
  for (let n = 0; n < 400; n++) {
    const socket = connect(server.port, server.host).on('error', () => {})
    sockets.push(socket)
    ends.push(new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)))
  }
  await Promise.all(ends)
  await expect.poll(() => metric(api, 'rollcall_connections_dropped_total')).toBeGreaterThan(200)

  const durabilities = new Set<string>()
  const metadata = { note: 'x'.repeat(4_000) }
  for (let n = 0; n < 100; n++) {
    const instance = { service: 'orders', id: `i${n}`, host: '10.0.0.1', port: 1, metadata }
    const { body } = await api.post('/api/v1/register', { instances: [instance] })
    for (const result of (body as RegisterResponse).results)
      durabilities.add(result.ok ? result.durability : result.error.code)
  }
  expect([...durabilities]).toEqual(['disk'])
  expect(await metric(api, 'rollcall_journal_failing')).toBe(0)
  // Three quarters of 144: the rest is for other peers.
  expect(await metric(api, 'rollcall_budget_used{quota="connectionsMax"}')).toBe(108)
  expect(server.stdout()).toMatch(/connections dropped/)
  api.close()
}, 60_000)
