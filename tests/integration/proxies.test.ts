/** The samples for nginx and Caddy, run by Debian's: TLS, WebSocket, long polls, and events without delay. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request, type RequestOptions } from 'node:https'
import type { LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianProgram, killServerProcesses, programOnPath, startServerProcess } from '@rollcall/testkit'
import { afterEach, expect, it, type TestContext } from 'vitest'
import { WebSocket } from 'ws'
import { certificates, hasOpenssl } from './support/certificates.js'
import { without } from './support/guests/guest.js'
import { freePort, until } from './support/processes.js'

const NAME = 'registry.example'
const cleanUp: (() => unknown)[] = []

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
  await killServerProcesses()
})

/** A sample with the addresses and the certificate of this test in its place, and the arguments to run it. */
type Prepare = (folder: string, port: number, nodePort: number) => readonly string[]

const sampleOf = (file: string, nodePort: number): string =>
  readFileSync(`packaging/proxy/${file}`, 'utf8').replaceAll('127.0.0.1:7400', `127.0.0.1:${nodePort}`)

const prepareNginx: Prepare = (folder, port, nodePort) => {
  const sample = sampleOf('nginx.conf', nodePort)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replaceAll('/etc/ssl/', `${folder}/`)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${folder}/${what};`)
    .join('\n')
  const whole = `daemon off;\npid ${folder}/nginx.pid;\nevents {}\nhttp {\naccess_log off;\n${paths}\n${sample}\n}\n`
  writeFileSync(join(folder, 'nginx.conf'), whole)
  return ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')]
}

const prepareCaddy: Prepare = (folder, port, nodePort) => {
  const certificate = `{\n\ttls ${folder}/${NAME}.crt ${folder}/${NAME}.key`
  const sample = sampleOf('Caddyfile', nodePort)
    .replace(`\n${NAME} {`, `\nhttps://${NAME}:${port} ${certificate}`)
    .replace(/^/, '{\n\tadmin off\n\tauto_https disable_redirects\n}\n')
  writeFileSync(join(folder, 'Caddyfile'), sample)
  return ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')]
}

const PROXIES = [
  ['nginx', 'usr/sbin/nginx', prepareNginx],
  ['caddy', 'usr/bin/caddy', prepareCaddy],
] as const

for (const [name, path, prepare] of PROXIES)
  it(`${name} passes on all that clients of a node use`, async (context) => {
    const door = await startProxy(context, name, path, prepare)
    const { statusCode } = await door.ask('/api/v1/services')
    expect(statusCode).toBe(200)
    await expectEvents(door)
    await expectLongPoll(door)
    await expectStream(door)
  })

/** The way to the node, through the proxy and by its name. */
interface Door {
  ask(path: string, options?: RequestOptions, body?: object): Promise<IncomingMessage>
  stream(): WebSocket
}

async function startProxy(context: TestContext, name: string, path: string, prepare: Prepare): Promise<Door> {
  if (!hasOpenssl()) without(context, 'there is no openssl to make a certificate with')
  const found = programOnPath(name)
  const guest = { package: name, path }
  const binary =
    found ?? (await debianProgram(guest).catch((error: Error) => without(context, error.message)))
  const port = await freePort()
  const node = await startServerProcess({
    args: ['--advertise', `${NAME}:443`, '--limits-shared-networks', '127.0.0.1'],
  })
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-proxy-'))
  chmodSync(folder, 0o755)
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }))
  const { ca, of } = await certificates(NAME)
  writeFileSync(join(folder, `${NAME}.crt`), of[NAME].cert)
  writeFileSync(join(folder, `${NAME}.key`), of[NAME].key)
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const child = spawn(binary, prepare(folder, port, node.port), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = once(child, 'close')
  cleanUp.push(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const door = doorTo(port, ca)
  const answers = (): Promise<boolean> =>
    door.ask('/readyz').then(
      (response) => response.resume().statusCode === 200,
      () => false,
    )
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`)
    return answers()
  }, `${name} answers`)
  return door
}

function doorTo(port: number, ca: string): Door {
  const lookup: LookupFunction = (_host, options, callback) =>
    options.all === true
      ? callback(null, [{ address: '127.0.0.1', family: 4 }])
      : callback(null, '127.0.0.1', 4)
  // The port is this test's; clients of a proxy at 443 send none.
  const common = { ca, lookup, headers: { host: NAME } }
  return {
    async ask(path, options = {}, body) {
      const headers = { ...common.headers, 'content-type': 'application/json' }
      const sent = request(`https://${NAME}:${port}${path}`, { ...common, headers, agent: false, ...options })
      sent.end(body === undefined ? undefined : JSON.stringify(body))
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      return response
    },
    stream: () => new WebSocket(`wss://${NAME}:${port}/api/v1/stream`, 'rollcall.v1', common),
  }
}

async function register(door: Door, id: string): Promise<void> {
  const instance = { service: 'orders', id, host: '127.0.0.1', port: 9, liveness: 'static' }
  const response = await door.ask('/api/v1/register', { method: 'POST' }, { instances: [instance] })
  expect(response.resume().statusCode).toBe(200)
}

/** One event at a time, as they happen: what a proxy collects first would come late or never. */
async function expectEvents(door: Door): Promise<void> {
  const response = await door.ask('/api/v1/watch?service=orders')
  let events = ''
  response.setEncoding('utf8').on('data', (chunk: string) => (events += chunk))
  await until(() => events.includes('event: view'), 'the list is there')
  await register(door, 'a')
  await until(() => events.includes('event: delta'), 'the change is there', 2_000)
  response.destroy()
  // Else each reader that leaves would hold a connection of the node for ever.
  const metrics = async (): Promise<string> => text(await door.ask('/metrics'))
  await until(async () => /^rollcall_sse_subscribers 0$/m.test(await metrics()), 'the node has heard of it')
}

async function expectLongPoll(door: Door): Promise<void> {
  const view = await door.ask('/api/v1/services/orders')
  const etag = view.resume().headers.etag ?? ''
  const waiting = door.ask('/api/v1/services/orders?wait=30s', {
    headers: { host: NAME, 'if-none-match': etag },
  })
  await register(door, 'b')
  const answer = await waiting
  expect([answer.statusCode, answer.resume().headers.etag === etag]).toEqual([200, false])
}

async function expectStream(door: Door): Promise<void> {
  const socket = door.stream()
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'hello', req: 1, client: 'test/1' }))
  const [data] = (await once(socket, 'message')) as [Buffer]
  expect(JSON.parse(data.toString())).toMatchObject({ type: 'welcome' })
  socket.close()
  await once(socket, 'close')
}
