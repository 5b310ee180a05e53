/** What was acknowledged as durable is there after kill -9, damage is told by file name, a full disk is survived. */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { RegisterResponse, View } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApi, metric, type Api } from './http-calls.js'
import { isAble } from './support/abilities.js'
import { Ledger } from './support/ledger.js'

/** Small logs, so that snapshots and rotations take part. */
const SMALL = ['--journal-rotate-bytes-min', '65536']

let directory: string
let data: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-durability-'))
  data = join(directory, 'data')
})

afterEach(async () => {
  await killServerProcesses()
  rmSync(directory, { recursive: true, force: true })
})

async function withApi<T>(server: ServerProcess, use: (api: Api) => Promise<T>): Promise<T> {
  const api = createApi(server)
  try {
    return await use(api)
  } finally {
    api.close()
  }
}

async function viewOf(api: Api, service: string): Promise<View> {
  return (await api.get(`/api/v1/services/${service}`)).body as View
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(ending)).sort() // prettier-ignore
}

describe('a clean restart', () => {
  it('changes no sign, no list and no declaration', async () => {
    const picture = (server: ServerProcess): Promise<unknown> =>
      withApi(server, async (api) => {
        const views = await Promise.all(['web', 'jobs'].map((service) => viewOf(api, service)))
        const ageless = views.map((view) => ({
          ...view,
          // The first boot began with nothing, the second did not.
          stale: undefined,
          instances: view.instances.map((instance) => ({ ...instance, stateAgeMs: 0 })),
        }))
        return [
          ageless,
          (await api.get('/api/v1/services')).body,
          (await api.get('/api/v1/namespaces')).body,
          (await api.get('/api/v1/services/web/settings')).body,
        ]
      })
    const first = await startServerProcess({ dataDir: data })
    await withApi(first, async (api) => {
      const instances = Array.from({ length: 50 }, (_, port) => ({
        service: port % 2 ? 'web' : 'jobs',
        host: '127.0.0.1',
        port: port + 1,
        zone: `z${port % 3}`,
        metadata: { port: String(port) },
      }))
      await api.post('/api/v1/register', { instances })
      await api.post('/api/v1/deregister', { instances: [{ service: 'web', id: '127.0.0.1:2' }] })
      await api.call('PUT', '/api/v1/services/web', {
        json: { groups: ['default', 'spare'], metadata: { owner: 'me' } },
      })
      const put = await api.call('PUT', '/api/v1/namespaces/fenced', { json: { allow: ['10.0.0.0/8'] } })
      expect(put.body).toEqual({ durability: 'disk' })
    })
    const before = await picture(first)
    expect(await first.stop()).toEqual({ code: 0, signal: null })
    const second = await startServerProcess({ dataDir: data })
    expect(await picture(second)).toEqual(before)
  })

  it('a second server on the same data is refused with the pid of the first, which goes on', async () => {
    const first = await startServerProcess({ dataDir: data })
    expect(await endOf(...serve(data))).toEqual({
      code: 1,
      text: expect.stringContaining(String(first.pid)) as string,
    })
    await withApi(first, async (api) => {
      const instances = [{ service: 's', host: '127.0.0.1', port: 1 }]
      expect((await api.post('/api/v1/register', { instances })).body).toMatchObject({
        results: [{ durability: 'disk' }],
      })
    })
  })
})

/** What a command wrote, with its exit code; one that begins to serve is killed and has none. */
async function endOf(...args: string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const command = startCommand(args)
  await Promise.race([command.exited, command.written(/rollcall listens on/).catch(() => undefined)])
  await command.kill()
  const { code } = await command.exited
  return { code, text: command.stdout() + command.stderr() }
}

const serve = (folder: string): string[] => ['serve', '--listen', '127.0.0.1:0', '--data', folder]

describe('damage', () => {
  let left: string
  let before: View

  // A journal with a snapshot and a log, left by kill -9.
  beforeAll(async () => {
    left = mkdtempSync(join(tmpdir(), 'rollcall-left-'))
    const server = await startServerProcess({ dataDir: left, args: SMALL })
    before = await withApi(server, async (api) => {
      const ledger = new Ledger()
      for (let batch = 0, more = 3; more > 0; batch++) {
        const instances = Array.from({ length: 50 }, (_, at) => ledger.instance(`d-${batch}-${at}`, 1))
        await api.post('/api/v1/register', { instances })
        if (filesOf(left, '.snap').length > 0) more--
      }
      return viewOf(api, 'load')
    })
    await server.kill()
  })

  afterAll(() => rmSync(left, { recursive: true, force: true }))

  beforeEach(() => {
    mkdirSync(data)
    for (const name of [...filesOf(left, '.log'), ...filesOf(left, '.snap')])
      copyFileSync(join(left, name), join(data, name))
  })

  const FRAME = 32
  it.each([
    ['log', 'payload', FRAME + 32 + 100],
    ['log', 'length', FRAME + 5],
    ['log', 'checksum of the payload', FRAME + 20],
    ['log', 'checksum of the frame header', FRAME + 28],
    ['log', 'file header', 9],
    ['snap', 'payload', FRAME + 32 + 100],
    ['snap', 'length', FRAME + 5],
    ['snap', 'checksum of the payload', FRAME + 20],
  ])(
    'one flipped byte in the newest %s, in its %s, is refused by file name and changes nothing',
    async (kind, _, offset) => {
      const name = filesOf(data, `.${kind}`).at(-1) ?? ''
      const bytes = readFileSync(join(data, name))
      bytes[offset] = (bytes[offset] ?? 0) ^ 0x40
      writeFileSync(join(data, name), bytes)
      const refusal = await endOf(...serve(data))
      expect(refusal).toEqual({ code: 1, text: expect.stringContaining(name) as string })
      expect(refusal.text).toContain('journal repair')
      expect(readFileSync(join(data, name)).equals(bytes)).toBe(true)
    },
  )

  it('is shown by verify; after a repair the server starts with the rest', async () => {
    const name = filesOf(data, '.log').at(-1) ?? ''
    const bytes = readFileSync(join(data, name))
    const offset = bytes.length - 100
    bytes[offset] = (bytes[offset] ?? 0) ^ 1
    writeFileSync(join(data, name), bytes)
    const named = expect.stringContaining(name) as string
    expect(await endOf('journal', 'verify', data)).toEqual({ code: 1, text: named })
    expect(await endOf('journal', 'repair', data)).toEqual({ code: 0, text: named })
    const server = await startServerProcess({ dataDir: data })
    const after = await withApi(server, (api) => viewOf(api, 'load'))
    const known = new Set(before.instances.map(({ id, digest }) => `${id} ${digest}`))
    for (const { id, digest } of after.instances) expect(known).toContain(`${id} ${digest}`)
    expect(after.instances).toHaveLength(before.instances.length - 50)
  })

  it('of an unfinished last write is cut off, and said', async () => {
    const name = filesOf(data, '.log').at(-1) ?? ''
    truncateSync(join(data, name), statSync(join(data, name)).size - 3)
    const server = await startServerProcess({ dataDir: data })
    const after = await withApi(server, (api) => viewOf(api, 'load'))
    expect(after.instances).toHaveLength(before.instances.length - 50)
    expect(server.stdout()).toMatch(new RegExp(`"level":"warn"[^\n]*${name}`))
  })

  it('by a log that is missing is refused', async () => {
    rmSync(join(data, filesOf(data, '.log').at(-1) ?? ''))
    expect(await endOf(...serve(data))).toEqual({
      code: 1,
      text: expect.stringContaining('journal-') as string,
    })
  })
})

// Limits of a running process can only be moved by this tool of Linux.
const mayLimit = isAble(
  'a disk without room',
  spawnSync('prlimit', ['--version']).status === 0 ? undefined : 'there is no prlimit',
)

describe.runIf(mayLimit)('a disk without room', () => {
  it('is survived in memory, told, and made up for when there is room again', async () => {
    const server = await startServerProcess({ dataDir: data })
    const limit = (bytes: string): void => {
      const { status, stderr } = spawnSync(
        'prlimit',
        ['--pid', String(server.pid), `--fsize=${bytes}:unlimited`],
        { encoding: 'utf8' },
      )
      if (status !== 0) throw new Error(stderr)
    }
    await withApi(server, async (api) => {
      let port = 0
      const register = async (): Promise<string | undefined> => {
        const instances = [{ service: 'full', host: '127.0.0.1', port: ++port, incarnation: 1 }]
        const { results } = (await api.post('/api/v1/register', { instances })).body as RegisterResponse
        return results[0]?.ok ? results[0].durability : undefined
      }
      expect(await register()).toBe('disk')
      limit('64')
      await expect.poll(register).toBe('memory')
      expect(await metric(api, 'rollcall_journal_failing')).toBe(1)
      expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { journal: 'failing' } })
      expect(server.stdout()).toMatch(/"level":"error"[^\n]*journal/)
      const strict = await api.call('POST', '/api/v1/register?durability=disk', {
        json: { instances: [{ service: 'full', host: '127.0.0.1', port: ++port, incarnation: 1 }] },
      })
      expect(strict).toMatchObject({ status: 503, body: { error: { code: 'not_durable' } } })
      const leave = await api.post('/api/v1/deregister', {
        instances: [{ service: 'full', id: '127.0.0.1:1', incarnation: 1 }],
      })
      expect(leave.body).toMatchObject({ removed: [{}], durability: 'memory' })
      expect((await viewOf(api, 'full')).instances).toHaveLength(port - 1)
      limit('unlimited')
      await expect.poll(register).toBe('disk')
      await expect.poll(() => metric(api, 'rollcall_journal_failing')).toBe(0)
      const { sign } = await viewOf(api, 'full')
      await server.kill()
      // Everything is durable now, also what was acknowledged from memory.
      const again = await startServerProcess({ dataDir: data })
      const after = await withApi(again, (other) => viewOf(other, 'full'))
      expect(after.sign).toBe(sign)
      expect(after.removes).toMatchObject([{ id: '127.0.0.1:1', reason: 'deregistered' }])
    })
  })
})
