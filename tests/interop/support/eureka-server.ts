/** Spring's server of Eureka, fetched and built by Maven: started, asked and killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CACHE, PROGRAMS, step } from './clients.js'

const OUT = join(CACHE, 'spring')
const START_MS_MAX = 120_000
const USER = 'fleet'
const PASSWORD = 'a b/c'

/** What it is, and how it is built. */
export const EUREKA_SERVER = {
  name: 'Spring Cloud Netflix Eureka server 5.0.3 (Spring Cloud 2025.1.4, Boot 4.0.7)',
  tools: ['java', 'mvn'],
  build: (): Promise<void> =>
    step(
      'mvn',
      ['-B', '-q', `-Dmaven.repo.local=${join(CACHE, 'maven')}`, `-Dinterop.out=${OUT}`, 'package'],
      {},
      join(PROGRAMS, 'eureka-server'),
    ),
}

/** An instance as the server lists it. */
export interface EurekaInstance {
  readonly instanceId: string
  readonly app: string
  readonly status: string
  readonly port: { readonly $: number }
  readonly metadata: Readonly<Record<string, string>>
}

/** A server that runs. */
export interface EurekaServer {
  /** With user and password, as URLs write them; the path is `/eureka`. */
  readonly authority: string
  /** All that it lists of an application, the mirrors of bridges included. */
  listed(app: string): Promise<readonly EurekaInstance[]>
  kill(): Promise<void>
}

const running = new Set<ChildProcess>()

export async function endEurekaServers(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'close'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(ends)
}

/** Starts the server; it forgets everything with its end. Rejects with what it said where it does not start. */
export async function startEurekaServer(port: number): Promise<EurekaServer> {
  const settings = {
    'server.port': port,
    'server.address': '127.0.0.1',
    'spring.security.user.name': USER,
    'spring.security.user.password': PASSWORD,
    'eureka.client.register-with-eureka': false,
    'eureka.client.fetch-registry': false,
    // What it lists is written anew each second, and it does not wait for peers that it has none of.
    'eureka.server.response-cache-update-interval-ms': 1_000,
    'eureka.server.wait-time-in-ms-when-sync-empty': 0,
    'eureka.server.eviction-interval-timer-in-ms': 2_000,
    'eureka.server.enable-self-preservation': false,
  }
  const child = spawn(
    'java',
    [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-jar',
      join(OUT, 'eureka-server', 'eureka-server-1.jar'),
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  running.add(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-20_000)))
  const ended = once(child, 'close').then(() => running.delete(child))
  const ask = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/eureka${path}`, {
      headers: {
        accept: 'application/json',
        authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
      },
      signal: AbortSignal.timeout(10_000),
    })
  for (const end = performance.now() + START_MS_MAX; ; await new Promise((done) => setTimeout(done, 200))) {
    if ((await ask('/apps/').catch(() => undefined))?.status === 200) break
    if (child.exitCode === null && performance.now() < end) continue
    child.kill('SIGKILL')
    throw new Error(`the server of Eureka does not start: ${said}`)
  }
  return {
    authority: `${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    async listed(app) {
      const answer = await ask(`/apps/${app.toUpperCase()}`)
      if (answer.status === 404) return []
      const { application } = (await answer.json()) as {
        readonly application: { readonly instance: EurekaInstance[] }
      }
      return application.instance
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
