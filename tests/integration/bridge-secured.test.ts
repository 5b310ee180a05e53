/** A bridge to another registry behind TLS and a password: what it trusts, what it says, and its figures. */
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killCommands, killServerProcesses, startCommand, startServerProcess } from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { certificates, hasOpenssl } from './support/certificates.js'
import { without } from './support/guests/guest.js'
import { freePort } from './support/processes.js'

const folder = mkdtempSync(join(tmpdir(), 'rollcall-bridge-'))
const ca = join(folder, 'ca.pem')
let pair: { readonly cert: string; readonly key: string }

beforeAll(async () => {
  if (!hasOpenssl()) return
  const made = await certificates('localhost')
  writeFileSync(ca, made.ca)
  pair = made.of.localhost
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  await killCommands()
  for (const step of cleanUp.splice(0).reverse()) await step()
  await killServerProcesses()
})

/** What stands in front of a registry: TLS, and a password with what URLs have to escape. */
async function securing(port: number): Promise<number> {
  const expected = `Basic ${Buffer.from('bridge:p@ss/w%rd').toString('base64')}`
  const server = createServer(pair, (incoming, outgoing) => {
    if (incoming.headers.authorization !== expected) {
      outgoing.writeHead(401).end('who are you')
      return
    }
    const { method, url: path, headers } = incoming
    const onward = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { ...headers, host: '127.0.0.1' },
    })
    onward.on('error', () => outgoing.destroy())
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function post(url: string, service: string, port: number): Promise<void> {
  const instances = [{ service, host: '10.0.0.5', port, liveness: 'static' }]
  const answer = await fetch(`${url}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
  expect(answer.status).toBe(200)
}

async function ports(url: string, service: string): Promise<number[]> {
  const answer = await fetch(`${url}/api/v1/services/${service}`)
  return answer.ok ? ((await answer.json()) as View).instances.map(({ port }) => port) : []
}

describe.each(['eureka', 'consul'] as const)('a bridge to %s by https', { timeout: 60_000 }, (kind) => {
  it('trusts who it is told to trust, says who it is, and shows its figures', async (context) => {
    if (!hasOpenssl()) without(context, 'there is no openssl here')
    const port = await freePort()
    const own = await startServerProcess({ args: ['--memory'] })
    const other = await startServerProcess({ args: ['--memory', `--${kind}`, `127.0.0.1:${port}`] })
    await post(other.url, 'orders', 1)
    await post(own.url, 'payments', 2)
    const secured = await securing(port)
    const path = kind === 'eureka' ? '/eureka' : ''
    const bridge = (user: string, ...more: string[]): ReturnType<typeof startCommand> =>
      startCommand(
        ['bridge', kind, `https://${user}@localhost:${secured}${path}`, '--every', '300ms', ...more],
        {
          env: { ROLLCALL_REGISTRY: own.url },
        },
      )
    const untrusting = bridge('bridge:p%40ss%2Fw%25rd')
    await untrusting.written(/not signed by an authority that is trusted here/)
    await untrusting.stop()
    const stranger = bridge('bridge:secret', '--ca', ca)
    expect((await stranger.exited).code).toBe(1)
    expect(stranger.stderr()).toMatch(kind === 'eureka' ? /asks for a password/ : /HTTP 401/)
    expect(stranger.stderr() + stranger.stdout()).not.toContain('secret')

    const figures = await freePort()
    const working = bridge('bridge:p%40ss%2Fw%25rd', '--ca', ca, '--metrics', `127.0.0.1:${figures}`)
    await expect.poll(() => ports(own.url, 'orders'), { timeout: 20_000 }).toEqual([1])
    await expect.poll(() => ports(other.url, 'payments'), { timeout: 20_000 }).toEqual([2])
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${figures}/metrics`)).text()
    await expect
      .poll(metrics)
      .toContain(`rollcall_bridge_instances{from="${kind}",to="rollcall",what="mirrored"} 1`)
    expect(await metrics()).toContain('rollcall_bridge_registry_up{registry="rollcall"} 1')
    expect((await fetch(`http://127.0.0.1:${figures}/`)).status).toBe(404)
    const second = bridge('bridge:x', '--metrics', `127.0.0.1:${figures}`)
    expect(await second.exited).toMatchObject({ code: 2 })
    expect(second.stderr()).toMatch(/--metrics: .*EADDRINUSE/)
    expect(working.stdout()).not.toContain('w%rd')

    // What cannot be taken out is told, and is no success.
    await other.kill()
    await working.written(new RegExp(`${kind} is away`))
    expect((await working.stop()).code).toBe(1)
    expect(working.stdout()).toContain(`rollcall -> ${kind}: ended, 1 left until their leases end`)
    expect(working.stdout()).toContain(`${kind} -> rollcall: ended, nothing is left`)
    expect(await ports(own.url, 'orders')).toEqual([])
  })
})
