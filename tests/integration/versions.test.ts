/**
 * Today's node, client and journal beside those of earlier commits: an old node's journal, an old client that lives through
 * the upgrade, today's client at an old node, and the way back. docs/operating/upgrading.md states what is seen here.
 */
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from '@rollcall/client'
import { killCommands, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApi, type Api } from './http-calls.js'
import {
  buildOf,
  killOldProcesses,
  missing,
  startOld,
  startOldNode,
  type OldProcess,
} from './support/old-builds.js'

/** The last commit with each format of the journal before today's. Of format 1 there is a fixture, and no commit. */
const VERSIONS = [
  { format: 2, commit: '6a9a1ba044bc9d960870bd8f5b1684915bdb4ac7' },
  { format: 3, commit: '5ac37d092643af9d5aa37cb9b3cf211873027cb4' },
]

const CHILD = fileURLToPath(new URL('./support/old-client-child.mjs', import.meta.url))

let folder: string
let port: number
let server: Server

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-versions-'))
})

afterEach(async () => {
  killOldProcesses()
  await killCommands()
  rmSync(folder, { recursive: true, force: true })
})

/** What a list is but for ages. */
async function listOf(at: { readonly host: string; readonly port: number }): Promise<unknown> {
  const api = createApi(at)
  try {
    const { sign, instances } = (await api.get('/api/v1/services/orders')).body as View
    return { sign, instances: instances.map((instance) => ({ ...instance, stateAgeMs: 0 })) }
  } finally {
    api.close()
  }
}

function clientOf(build: string, url: string, id: string): Promise<OldProcess> {
  // There, `@rollcall/client` is that of the build.
  const program = join(build, 'old-client-child.mjs')
  copyFileSync(CHILD, program)
  return startOld([program, url, id, String(port), join(folder, 'snapshots')], /"picked"/)
}

/** The last list that an old client told of. */
function seenBy(client: OldProcess): string[] | undefined {
  const lines = client
    .output()
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{"list"'))
  return lines.length === 0 ? undefined : (JSON.parse(lines.at(-1) ?? '') as { list: string[] }).list
}

/** Everything an operator and HTTP clients leave in a journal. */
async function useOf(api: Api): Promise<void> {
  const instance = (id: string): object => ({
    service: 'orders',
    id,
    host: '127.0.0.1',
    port,
    liveness: 'static',
  })
  const ids = ['plain', 'banned', 'gone', 'weighted']
  await api.post('/api/v1/register', { instances: ids.map(instance) })
  await api.post('/api/v1/deregister', { instances: [{ service: 'orders', id: 'gone' }] })
  for (const [id, wish] of [
    ['banned', { disable: true }],
    ['weighted', { weight: 7 }],
  ] as const) {
    const json = { instances: [{ service: 'orders', id }], ...wish, by: 'ops', why: 'test' }
    expect((await api.call('PUT', '/api/v1/overrides', { json })).status).toBe(200)
  }
  await api.call('PUT', '/api/v1/services/orders', {
    json: { groups: ['default', 'spare'], metadata: { owner: 'me' } },
  })
  expect(
    (await api.call('PUT', '/api/v1/freeze', { json: { namespace: 'other', why: 'work' } })).status,
  ).toBe(200)
}

const stated = async (api: Api): Promise<unknown> => [
  (await api.get('/api/v1/services/orders/settings')).body,
  await bodyWithout(api, '/api/v1/freeze', 'ageMs'),
]

async function bodyWithout(api: Api, path: string, member: string): Promise<unknown> {
  return JSON.parse(JSON.stringify((await api.get(path)).body), (key, value: unknown) =>
    key === member ? undefined : value,
  )
}

for (const { format, commit } of VERSIONS) {
  const why = missing(commit)
  if (why !== undefined) process.stderr.write(`not run: versions with journal format ${format}: ${why}\n`)
  describe.runIf(why === undefined)(`the last version with journal format ${format}`, () => {
    let build: string
    beforeAll(() => {
      build = buildOf(commit)
    }, 120_000)

    it('is upgraded under its clients: same lists, none removed, and back only with the old directory', async () => {
      const [data, kept] = [join(folder, 'data'), join(folder, 'kept')]
      const old = await startOldNode(build, data)
      const client = await clientOf(build, old.url, 'old-client')
      const api = createApi(old)
      await useOf(api)
      await expect.poll(() => seenBy(client)).toHaveLength(4)
      const [list, said] = [await listOf(old), await stated(api)]
      const before = seenBy(client)

      // The order of the guide: stop, keep a copy, start the new one in its place.
      expect(await old.stop()).toBe(0)
      const stopped = performance.now()
      cpSync(data, kept, { recursive: true, filter: (path) => !path.includes('LOCK') })
      const [name = ''] = readdirSync(kept).filter((each) => each.endsWith('.log'))
      const today = await startServerProcess({ dataDir: data, listen: `127.0.0.1:${old.port}` })
      process.stdout.write(
        `from the stop of format ${format} to the new node: ${Math.round(performance.now() - stopped)} ms\n`,
      )
      await expect.poll(() => listOf(today)).toEqual(list)
      expect(await stated(api)).toEqual(said)
      expect(readFileSync(join(data, name))).toEqual(readFileSync(join(kept, name)))
      // The old client has come back, with its registration, and hears of what is new.
      await beside(today, client, before ?? [])

      // The way back: not into the directory as it is, but into the one from before.
      await today.stop()
      await expect(startOldNode(build, data)).rejects.toThrow(/format version 6|another version/)
      const again = await startOldNode(build, kept, `127.0.0.1:${old.port}`)
      await expect.poll(() => listOf(again)).toEqual(list)
      api.close()
    })

    it("has clients of today's SDK and command line", async () => {
      const old = await startOldNode(build, join(folder, 'data'))
      const rollcall = await connect({
        registries: [old.url],
        snapshotDir: join(folder, 'snapshots'),
        logger: false,
      })
      const registration = await rollcall.register({
        service: 'orders',
        id: 'new-client',
        port,
        host: '127.0.0.1',
      })
      expect(registration.state).toBe('up')
      const orders = rollcall.service('orders')
      await orders.ready()
      expect(orders.pick().id).toBe('new-client')
      const client = await clientOf(build, old.url, 'old-client')
      await expect.poll(() => orders.instances().length).toBe(2)
      for (const args of [
        ['services'],
        ['instances', 'orders'],
        ['drain', 'orders', 'old-client', '--why', 'test'],
      ]) {
        const command = startCommand([...args, '--registry', old.url])
        expect(await command.exited, command.stderr()).toEqual({ code: 0, signal: null })
      }
      await expect.poll(() => seenBy(client)).toEqual(['new-client up', 'old-client draining'])
      await rollcall.close()
      await expect.poll(() => seenBy(client)).toEqual(['old-client draining'])
      expect(await client.stop()).toBe(0)
    })
  })
}

/** An old client and one of today at one node of today. */
async function beside(node: ServerProcess, client: OldProcess, before: readonly string[]): Promise<void> {
  const rollcall = await connect({
    registries: [node.url],
    snapshotDir: join(folder, 'snapshots-2'),
    logger: false,
  })
  await rollcall.register({ service: 'orders', id: 'new-client', port, host: '127.0.0.1' })
  await expect.poll(() => seenBy(client)).toEqual(['new-client up', ...before].sort())
  const orders = rollcall.service('orders')
  await orders.ready()
  expect(orders.instances()).toContainEqual(expect.objectContaining({ id: 'old-client', state: 'up' }))
  await rollcall.close()
  await expect.poll(() => seenBy(client)).toEqual(before)
  // In all this time no list that it told of was shorter than what was there before.
  const lists = client
    .output()
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{"list"'))
  const sizes = lists.map((line) => (JSON.parse(line) as { list: string[] }).list.length)
  expect(Math.min(...sizes.slice(sizes.indexOf(before.length)))).toBe(before.length)
}
