/**
 * Registries by their names, with real processes: those of a composition, of a cluster and of a machine work as they are; any
 * other is refused on both sides with what to do.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { killServerProcesses, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawExchange } from './http-calls.js'

const SERVICE = 'rollcall.shop.svc.cluster.local'
const FINE = ['rollcall', 'rollcall.shop.svc', SERVICE, `${SERVICE}.`, 'registry.example', hostname()]
const FOREIGN = 'rollcall.example'
const LOOKUP = fileURLToPath(new URL('support/lookup.cjs', import.meta.url))
const ENV = { NODE_OPTIONS: `--require=${LOOKUP}`, TEST_NAMES: [...FINE, FOREIGN].join() }

let node: ServerProcess

beforeAll(async () => {
  node = await startServerProcess({ args: ['--allowed-hosts', 'registry.example', '--log-format', 'json'] })
})

afterAll(killServerProcesses)

const lines = (): Record<string, unknown>[] =>
  node
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Runs a program with the built SDK, for which the names lead to this machine; resolves to what it prints. */
async function program(name: string, text: string): Promise<{ readonly out: unknown; readonly err: string }> {
  const sdk = new URL('../../packages/client/dist/index.js', import.meta.url).href
  const script = `
    import { connect } from ${JSON.stringify(sdk)}
    const rollcall = await connect({ registries: ['http://${name}:${node.port}'], snapshotDir: false })
    const coded = (promise) => promise.then((value) => value, ({ code, message }) => ({ code, message }))
    ${text}
    await rollcall.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...ENV },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (written.out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (written.err += chunk))
  await once(child, 'close')
  expect(written.out, written.err).not.toBe('')
  return { out: JSON.parse(written.out), err: written.err }
}

async function rollcall(
  ...words: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const command = startCommand(words, { env: ENV })
  const { code } = await command.exited
  return { code, out: command.stdout(), err: command.stderr() }
}

describe('a registry by a name that no other site can have, or that is allowed', () => {
  it.each(FINE)('takes registrations, watches and calls of the SDK as %s', async (name) => {
    const { out, err } = await program(
      name,
      `const registration = await rollcall.register({ service: 'orders', port: 3000, host: '127.0.0.1' })
       const orders = rollcall.service('orders')
       await orders.ready({ timeoutMs: 10_000 })
       console.log(JSON.stringify({ state: registration.state, id: orders.pick().id }))`,
    )
    expect([out, err]).toEqual([{ state: 'up', id: '127.0.0.1:3000' }, ''])
  })

  it('answers the command line', async () => {
    expect(await rollcall('services', '--registry', `http://rollcall:${node.port}`)).toMatchObject({
      code: 0,
    })
    expect(lines().filter(({ code }) => code === 'forbidden_host')).toEqual([])
  })
})

describe('a registry by any other name', () => {
  it('rejects register() and ready() at once, and says on both sides what to do', async () => {
    const { out, err } = await program(
      FOREIGN,
      `const instance = { service: 'orders', port: 3000, host: '127.0.0.1' }
       const registered = await coded(rollcall.register(instance))
       const ready = await coded(rollcall.ready(['orders'], { timeoutMs: 60_000 }))
       const called = await coded(rollcall.service('orders').fetch('/'))
       const { connection, lastError } = rollcall.status()
       console.log(JSON.stringify({ registered, ready, called, refused: connection.error.code, lastError }))`,
    )
    const message = `default: this node does not go by the name ${FOREIGN}: call it by its address, or start it with --allowed-hosts ${FOREIGN} (allowedHosts in its configuration)`
    expect(out).toMatchObject({
      registered: { code: 'forbidden_host', message },
      ready: {
        code: 'forbidden_host',
        message: expect.stringContaining('orders (forbidden_host)') as string,
      },
      called: { code: 'forbidden_host' },
      refused: 'forbidden_host',
      lastError: { code: 'forbidden_host', url: `ws://${FOREIGN}:${node.port}/api/v1/stream` },
    })
    expect(err).toContain(`--allowed-hosts ${FOREIGN}`)
  })

  it('has the command line say what to do', async () => {
    const refused = await rollcall('services', '--registry', `http://${FOREIGN}:${node.port}`)
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toBe(
      `rollcall: this node does not go by the name ${FOREIGN}: call it by its address, or start it with --allowed-hosts ${FOREIGN} (allowedHosts in its configuration)\n` +
        'Name the registry by its address in --registry, or have the node started with --allowed-hosts NAME (allowedHosts in its rollcall.yaml).\n',
    )
    const watching = await rollcall('watch', 'orders', '--registry', `http://${FOREIGN}:${node.port}`)
    expect([watching.code, watching.err]).toEqual([1, refused.err])
  })

  it('is one line in the log of the node, with the name and what allows it', () => {
    const [line, ...more] = lines().filter(({ code }) => code === 'forbidden_host')
    expect(line).toMatchObject({ level: 'warn', component: 'refusals', host: FOREIGN, peer: '127.0.0.1' })
    expect(line?.['message']).toContain('--allowed-hosts')
    expect(more).toEqual([])
  })

  it('is alive and ready for whatever probes it, and says that nothing else is answered', async () => {
    const get = (path: string): Promise<string> =>
      rawExchange(node, `GET ${path} HTTP/1.1\r\nHost: lb.example\r\nConnection: close\r\n\r\n`)
    expect(await get('/livez')).toMatch(/^HTTP\/1.1 200 /)
    const ready = await get('/readyz')
    expect(ready).toMatch(/^HTTP\/1.1 200 /)
    expect(ready).toContain(
      '"refused":{"code":"forbidden_host","message":"this node does not go by the name lb.example',
    )
    for (const path of ['/metrics', '/api', '/api/v1/services', '/prometheus/sd'])
      expect([path, await get(path)]).toEqual([path, expect.stringMatching(/^HTTP\/1.1 403 /)])
  })
})
