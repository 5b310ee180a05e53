/** `rollcall run`: programs that know nothing of Rollcall, with a real server and without one. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  killCommands,
  startCommand,
  startServerProcess,
  type CommandProcess,
  type ServerProcess,
  freePort,
} from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** A provider: listens, says how it was told to end, and ends with 5. */
const PROVIDER = `
const { PORT, DELAY = 0 } = process.env
const server = require('node:net').createServer((socket) => socket.destroy())
setTimeout(() => server.listen(PORT, '127.0.0.1', () => console.log('listening', process.pid)), DELAY)
process.on('SIGHUP', () => console.log('reloaded'))
process.on('SIGTERM', () => { console.log('told to end'); process.exit(5) })
`

let port: number
let node: ServerProcess
beforeEach(async () => {
  port = await freePort()
  node = await startServerProcess()
})
afterEach(killCommands)

function run(
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  script = PROVIDER,
): CommandProcess {
  const args = ['run', '--service', 'orders', '--host', '127.0.0.1', '--port', String(port), ...options]
  return startCommand([...args, '--', process.execPath, '-e', script], {
    env: { ROLLCALL_REGISTRY: node.url, PORT: String(port), ...env },
  })
}

async function states(): Promise<string[]> {
  const response = await fetch(`${node.url}/api/v1/services/orders`)
  if (response.status === 404) return []
  return ((await response.json()) as View).instances.map(({ state }) => state)
}

describe('rollcall run', () => {
  it('registers when the port opens, drains before the signal, and exits as the program does', async () => {
    const command = run(['--drain', '700ms'], { DELAY: '400' })
    await command.written(/registered orders\/default/)
    expect(command.stdout()).toMatch(/^listening/)
    expect(await states()).toEqual(['up'])
    command.process.kill('SIGTERM')
    await expect.poll(states).toEqual(['draining'])
    expect(command.stdout()).not.toContain('told to end')
    expect(await command.exited).toEqual({ code: 5, signal: null })
    expect(command.stdout()).toContain('told to end')
    expect(await states()).toEqual([])
  })

  it('passes other signals on at once and stays registered', async () => {
    const command = run()
    await command.written(/registered orders\/default/)
    command.process.kill('SIGHUP')
    await command.written(/reloaded/)
    expect(await states()).toEqual(['up'])
    expect(await command.stop()).toEqual({ code: 5, signal: null })
  })

  it('deregisters at once when the program is killed', async () => {
    const command = run()
    await command.written(/registered orders\/default/)
    const [, pid] = /^listening (\d+)/m.exec(command.stdout()) ?? []
    process.kill(Number(pid), 'SIGKILL')
    expect(await command.exited).toEqual({ code: 137, signal: null })
    expect(await states()).toEqual([])
  })

  it('ends at once with a program that never listens', async () => {
    const command = run([], {}, 'console.log(process.argv.length); process.exit(3)')
    expect(await command.exited).toEqual({ code: 3, signal: null })
    expect(await states()).toEqual([])
  })

  it('runs the program without a registry, and registers it when one comes', async () => {
    await node.kill()
    const command = run()
    await command.written(/listening/)
    await command.written(/no registry answers yet/)
    node = await startServerProcess({ listen: `127.0.0.1:${node.port}` })
    await expect.poll(states).toEqual(['up'])
    await node.kill()
    expect(await command.stop()).toEqual({ code: 5, signal: null })
  })

  it('exits with 127 for a program that does not exist', async () => {
    const command = startCommand(['run', '--service', 'a', '--port', '1', '--', 'no-such-program-anywhere'])
    expect(await command.exited).toEqual({ code: 127, signal: null })
    expect(command.stderr()).toContain('no such program')
  })

  it('calls a program missing also when a folder of the path is closed to it', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'rollcall-closed-'))
    chmodSync(closed, 0)
    const env = { PATH: `${closed}:${process.env['PATH'] ?? ''}` }
    const command = startCommand(['run', '--service', 'a', '--port', '1', '--', 'no-such-program'], { env })
    expect(await command.exited).toEqual({ code: 127, signal: null })
    rmSync(closed, { recursive: true })
  })

  it('needs no dashes before the program', async () => {
    const command = startCommand([
      'run',
      '--service',
      'a',
      '--port',
      String(port),
      process.execPath,
      '--eval',
      'process.exit(4)',
    ])
    expect(await command.exited).toEqual({ code: 4, signal: null })
  })
})
