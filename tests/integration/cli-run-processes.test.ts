/** `rollcall run` and the processes below it: ports that close, groups, orphans, and its own death. */
import { createServer, type AddressInfo } from 'node:net'
import {
  killCommands,
  startCommand,
  startServerProcess,
  type CommandProcess,
  type ServerProcess,
} from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { without } from './support/guests/guest.js'
import { AS_PROCESS_1, missing } from './support/namespaces.js'

/** Listens; closes its port at one SIGUSR2 and opens it at the next; ends in good order, which takes it a while. */
const PROVIDER = `
const server = require('node:net').createServer((socket) => socket.destroy())
const listen = () => server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening', process.pid))
listen()
setInterval(() => undefined, 1_000)
process.on('SIGUSR2', () => server.listening ? server.close(() => console.log('closed')) : listen())
process.on('SIGTERM', () => setTimeout(() => { console.log('ended in good order'); process.exit(5) }, 400))
`

/** Leaves orphans, whose parent is then process 1, and counts those that nobody reaped. */
const ORPHANS = `
const { readdirSync, readFileSync } = require('node:fs')
for (let n = 0; n < 15; n++) require('node:child_process').spawnSync('sh', ['-c', 'sleep 0.1 &'], { stdio: 'ignore' })
const stat = (pid) => { try { return readFileSync('/proc/' + pid + '/stat', 'utf8') } catch { return '' } }
setTimeout(() => {
  const zombies = readdirSync('/proc').filter((name) => / Z 1 /.test(stat(name)))
  console.log('zombies', zombies.length)
}, 1_000)
`

let node: ServerProcess
let port: number
beforeEach(async () => {
  node = await startServerProcess()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ;({ port } = server.address() as AddressInfo)
  await new Promise((resolve) => server.close(resolve))
})
afterEach(killCommands)

function run(
  options: readonly string[],
  program: readonly string[],
  below: readonly string[] = [],
): CommandProcess {
  const args = ['run', '--service', 'orders', '--host', '127.0.0.1', '--port', String(port), ...options]
  const env = { ROLLCALL_REGISTRY: node.url, PORT: String(port) }
  return startCommand([...args, '--', ...program], { env, below })
}

const provider = [process.execPath, '-e', PROVIDER]

async function states(): Promise<string[]> {
  const response = await fetch(`${node.url}/api/v1/services/orders`)
  if (response.status === 404) return []
  return ((await response.json()) as View).instances.map(({ state }) => state)
}

const pidOf = (command: CommandProcess): number => Number(/^listening (\d+)/m.exec(command.stdout())?.[1])

it('a port that closes while the program lives on gets no calls until it is open again', async () => {
  const command = run([], provider)
  await command.written(/registered orders/)
  expect(await states()).toEqual(['up'])
  command.process.kill('SIGUSR2')
  await command.written(/^closed/m)
  await expect.poll(states, { timeout: 10_000 }).toEqual(['starting'])
  command.process.kill('SIGUSR2')
  await expect.poll(states, { timeout: 10_000 }).toEqual(['up'])
  expect(await command.stop()).toEqual({ code: 5, signal: null })
  expect(command.stderr()).toMatch(/refuses connections.*\n.*accepts connections again/)
})

it('is killed itself, and the program lives on: the instance is suspect, since no session vouches for it', async () => {
  const command = run([], provider)
  await command.written(/registered orders/)
  const pid = pidOf(command)
  try {
    command.process.kill('SIGKILL')
    await expect.poll(states).toEqual(['suspect'])
    expect(process.kill(pid, 0)).toBe(true)
  } finally {
    process.kill(pid, 'SIGKILL')
  }
})

describe('a program below a shell that passes on no signals', () => {
  it('is told to end with --signal-group, and has the time for that', async () => {
    const command = run(
      ['--signal-group', '--drain', '0'],
      ['sh', '-c', '"$0" -e "$1"; true', process.execPath, PROVIDER],
    )
    await command.written(/registered orders/)
    expect(await command.stop()).toEqual({ code: 143, signal: null })
    expect(command.stdout()).toContain('ended in good order')
    expect(await states()).toEqual([])
  })
})

describe('as process 1', () => {
  const orphans = [process.execPath, '-e', ORPHANS]

  it('run reaps no orphans, and says what does', async (context) => {
    const reason = missing(AS_PROCESS_1)
    if (reason !== undefined) without(context, reason)
    const command = run([], orphans, AS_PROCESS_1)
    expect(await command.exited).toEqual({ code: 0, signal: null })
    expect(command.stdout()).toContain('zombies 15')
    expect(
      command.stderr().match(/this is process 1, .*docker run --init, or tini -- rollcall run/g),
    ).toHaveLength(1)
  })

  it('an init in front of it leaves none', async (context) => {
    const reason = missing(AS_PROCESS_1)
    if (reason !== undefined) without(context, reason)
    // A shell that waits for a command reaps whatever ends meanwhile, as tini does.
    const command = run([], orphans, [...AS_PROCESS_1, 'sh', '-c', '"$@"; exit $?', 'sh'])
    expect(await command.exited).toEqual({ code: 0, signal: null })
    expect(command.stdout()).toContain('zombies 0')
    expect(command.stderr()).not.toContain('process 1')
  })
})

it('refuses a host where programs listen, before it starts anything', async () => {
  const args = ['run', '--service', 'a', '--port', '80', '--host', '0.0.0.0', '--', 'echo', 'started']
  const command = startCommand(args)
  expect(await command.exited).toEqual({ code: 2, signal: null })
  expect(command.stderr()).toMatch(/others cannot reach it there: name an address of this machine/)
  expect(command.stdout()).toBe('')
})
