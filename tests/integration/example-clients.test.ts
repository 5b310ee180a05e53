/**
 * The clients of examples/clients, each in its language, with a real node: registered and found by each other, the registry
 * killed and started again without its memory, a process killed, one started while no registry is there, and the way out.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  debianProgram,
  killCommands,
  programOnPath,
  startServerProcess,
  type ServerProcess,
} from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import { createApi } from './http-calls.js'
import { without } from './support/guests/guest.js'

const CLIENTS = fileURLToPath(new URL('../../examples/clients', import.meta.url))
const LINES_MAX = 119

/** What starts a client, before its four arguments; rejects with the reason where the language cannot be had. */
type Start = (folder: string) => Promise<readonly string[]>

function onPath(name: string): string {
  const program = programOnPath(name)
  if (program === undefined) throw new Error(`there is no \`${name}\` on the PATH`)
  return program
}

const startPhp: Start = async () => [await php(), join(CLIENTS, 'php/rollcall.php')]

const LANGUAGES: readonly (readonly [name: string, file: string, start: Start])[] = [
  ['Python', 'python/rollcall.py', async () => [onPath('python3'), join(CLIENTS, 'python/rollcall.py')]],
  ['Go', 'go/rollcall.go', async (folder) => [buildGo(folder)]],
  ['Java', 'java/Rollcall.java', async () => [onPath('java'), join(CLIENTS, 'java/Rollcall.java')]],
  ['PHP', 'php/rollcall.php', startPhp],
  [
    'bash',
    'bash/rollcall.sh',
    async () => (onPath('curl'), [onPath('bash'), join(CLIENTS, 'bash/rollcall.sh')]),
  ],
]

/** What `go run` does, in two steps: it passes on no signals. */
function buildGo(folder: string): string {
  const program = join(folder, 'rollcall-go')
  const args = ['build', '-o', program, join(CLIENTS, 'go/rollcall.go')]
  const { status, stderr } = spawnSync(onPath('go'), args, {
    env: { ...process.env, GOFLAGS: '-mod=mod' },
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  return program
}

async function php(): Promise<string> {
  const found =
    programOnPath('php') ?? (await debianProgram({ package: 'php8.2-cli', path: 'usr/bin/php8.2' }))
  const { status, stderr } = spawnSync(
    found,
    ['-r', 'exit(PHP_VERSION_ID >= 80200 && extension_loaded("pcntl") ? 0 : 1);'],
    {
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(`PHP 8.2 with pcntl does not run here: ${stderr.trim()}`)
  return found
}

/** What one test has started; it ends with the test. The tests run side by side: most of their time is waiting. */
interface World {
  readonly folder: string
  readonly running: Set<ChildProcess>
  readonly servers: Set<Server>
}

function createWorld({ onTestFinished }: TestContext): World {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-clients-'))
  const world: World = { folder, running: new Set(), servers: new Set() }
  onTestFinished(() => {
    for (const child of world.running) child.kill('SIGKILL')
    for (const server of world.servers) server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return world
}

afterAll(killCommands)

/** A port that accepts, as the server of a client would. */
async function listen(
  { servers }: World,
  at: number,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  servers.add(server)
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() }
}

interface Client {
  readonly id: string
  readonly process: ChildProcess
  readonly snapshot: string
  /** The last list that it printed, with where it came from; Go prints whole instances, in any state. */
  shown(): { readonly source: string; readonly ids: readonly string[] }
  readonly close: () => void
}

/** A process with a port of its own, or in the place of one that is gone: at its port, with its file. */
async function start(
  world: World,
  command: readonly string[],
  url: string,
  before?: Client,
): Promise<Client> {
  const { folder, running } = world
  const { port, close } = await listen(world, before === undefined ? 0 : Number(before.id.split(':')[1]))
  const snapshot = join(folder, `snapshot-${port}`)
  const [program = '', ...args] = command
  const id = `127.0.0.1:${port}`
  const child = spawn(program, [...args, url, 'orders', String(port), snapshot], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  running.add(child)
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const shown = (): ReturnType<Client['shown']> => {
    const line = text.split('\n').findLast((each) => /^(registry|snapshot):/.test(each)) ?? ''
    const ids = line.includes('map[')
      ? [...line.matchAll(/\{(\S+) \S+ up \d+\}/g)].map((found) => found[1] ?? '')
      : (line.match(/127\.0\.0\.1:\d+/g) ?? [])
    return { source: line.split(':')[0] ?? '', ids: ids.toSorted() }
  }
  return { id, process: child, snapshot, shown, close }
}

/** Whether a file names these instances, by id or by host and port. */
function isKept(snapshot: string, ids: readonly string[]): boolean {
  const text = readFileSync(snapshot, 'utf8')
  return ids.every((id) => text.includes(id))
}

async function idsAt(node: ServerProcess): Promise<string[]> {
  const api = createApi(node)
  try {
    const { body } = await api.get('/api/v1/services/orders?state=up')
    return ((body as Partial<View>).instances ?? []).map(({ id }) => id).sort()
  } finally {
    api.close()
  }
}

async function commandOf(context: TestContext, { folder }: World, begin: Start): Promise<readonly string[]> {
  try {
    return await begin(folder)
  } catch (error) {
    const { message } = error as Error
    if (begin !== startPhp) return without(context, message)
    // Not every machine that CI runs on has the libraries that Debian's PHP wants.
    process.stderr.write(`not run: ${context.task.name}: ${message}\n`)
    return context.skip(message)
  }
}

describe.concurrent.each(LANGUAGES)('the client in %s', (_name, file, begin) => {
  it(`has fewer than ${LINES_MAX + 1} lines`, () => {
    expect(readFileSync(join(CLIENTS, file), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(
      LINES_MAX,
    )
  })

  it('registers, follows, outlives its registry, begins without one, and leaves', async (context) => {
    // `context.expect.poll`: of tests that run side by side, each has its own.
    const world = createWorld(context)
    const command = await commandOf(context, world, begin)
    const node = await startServerProcess()
    const first = await start(world, command, node.url)
    const second = await start(world, command, node.url)
    const both = [first.id, second.id].sort()
    await context.expect.poll(() => idsAt(node)).toEqual(both)
    await context.expect.poll(() => first.shown()).toEqual({ source: 'registry', ids: both })
    await context.expect.poll(() => second.shown()).toEqual({ source: 'registry', ids: both })

    // The registry dies. Lists stay, and one that begins now knows what the file says.
    await context.expect.poll(() => existsSync(first.snapshot) && isKept(first.snapshot, both)).toBe(true)
    await node.kill()
    first.process.kill('SIGKILL')
    first.close()
    const third = await start(world, command, node.url, first)
    await context.expect.poll(() => third.shown()).toEqual({ source: 'snapshot', ids: both })
    expect(second.shown()).toEqual({ source: 'registry', ids: both })

    // It is back, without its memory: all register anew, and none had to be told.
    const again = await startServerProcess({ listen: `127.0.0.1:${node.port}` })
    await context.expect.poll(() => idsAt(again)).toEqual(both)
    await context.expect.poll(() => third.shown()).toEqual({ source: 'registry', ids: both })

    // A process is killed, its port with it: the others hear of it. One leaves in good order: at once.
    third.process.kill('SIGKILL')
    third.close()
    await context.expect.poll(() => second.shown().ids).toEqual([second.id])
    const ended = once(second.process, 'exit')
    second.process.kill('SIGTERM')
    await context.expect.poll(() => idsAt(again)).toEqual([])
    await ended
  })
})
