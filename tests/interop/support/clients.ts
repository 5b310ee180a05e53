/** Programs that use a registry by an unchanged client: what they are built from, how one is started, and what it is asked. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { programOnPath } from '@rollcall/testkit'

export const PROGRAMS = resolve('tests/interop/programs')
export const CACHE = join(process.env['GUESTS_CACHE'] ?? resolve('.cache'), 'interop-programs')

/** Where the APIs of other registries are, as HOST:PORT. */
export type Registries = Readonly<Record<'eureka' | 'consul', string>>

interface Start {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** One client, and a program around it. */
export interface Client {
  /** Also the name of its service. */
  readonly name: string
  readonly version: string
  readonly protocol: keyof Registries
  /** Its program also keeps a watch on its own service, whose last answer it tells at `/watched`. */
  readonly watches?: true
  /** What has to be on the machine. */
  readonly tools: readonly string[]
  /** Fetches and builds; rejects with why that is not possible. */
  build(): Promise<void>
  start(registry: string, port: number, name: string): Start
}

/** A running program. */
export interface Program {
  readonly port: number
  readonly name: string
  /** What it answers, as text; rejects with what it said where that is no success. */
  ask(path: string): Promise<string>
  listed(service: string): Promise<readonly Listed[]>
  said(): string
  end(signal: NodeJS.Signals): Promise<void>
}

/** An instance as a client lists it. */
interface Listed {
  readonly host: string
  readonly port: number
  readonly metadata: Readonly<Record<string, string>>
}

const BUILD_MS_MAX = 900_000
const START_MS_MAX = 120_000

/** Runs a step of a build; rejects with what it said where it fails. */
export async function step(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = PROGRAMS,
): Promise<void> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, timeout: BUILD_MS_MAX })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2_000)))
  const code = await new Promise((done) => child.once('error', done).once('close', done))
  if (code !== 0) throw new Error(`${command} ${args[0] ?? ''}: ${said === '' ? String(code) : said}`)
}

function spring(protocol: keyof Registries, version: string): Client {
  const name = `spring-${protocol}`
  const out = join(CACHE, 'spring')
  const own = (registry: string): string[] => {
    const [host = '', port = ''] = registry.split(':')
    return protocol === 'eureka'
      ? [
          `eureka.client.service-url.defaultZone=http://${registry}/eureka/`,
          'eureka.client.registry-fetch-interval-seconds=1',
          'eureka.instance.lease-renewal-interval-in-seconds=1',
          'eureka.instance.lease-expiration-duration-in-seconds=3',
          'eureka.instance.hostname=127.0.0.1',
          'eureka.instance.ip-address=127.0.0.1',
        ]
      : [
          `spring.cloud.consul.host=${host}`,
          `spring.cloud.consul.port=${port}`,
          'spring.cloud.consul.discovery.hostname=127.0.0.1',
          'spring.cloud.consul.discovery.health-check-interval=1s',
          // Off by default: then this client lists critical instances too, of any registry.
          'spring.cloud.consul.discovery.query-passing=true',
          'spring.cloud.consul.discovery.tags=blue,green',
        ]
  }
  const metadata =
    protocol === 'eureka' ? 'eureka.instance.metadata-map' : 'spring.cloud.consul.discovery.metadata'
  return {
    name,
    version,
    protocol,
    tools: ['java', 'mvn'],
    build: () =>
      step(
        'mvn',
        [
          '-B',
          '-q',
          `-Dmaven.repo.local=${join(CACHE, 'maven')}`,
          `-Dinterop.out=${out}`,
          '-pl',
          protocol,
          'package',
        ],
        {},
        join(PROGRAMS, 'spring'),
      ),
    start: (registry, port, instance) => ({
      command: [
        'java',
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-jar',
        join(out, protocol, `${protocol}-1.jar`),
        ...[
          `server.port=${port}`,
          `spring.application.name=${name}`,
          `interop.name=${instance}`,
          `${metadata}.by=spring`,
          `${metadata}.name=${instance}`,
          'spring.cloud.loadbalancer.cache.ttl=1s',
          ...own(registry),
        ].map((setting) => `--${setting}`),
      ],
    }),
  }
}

const go: Client = {
  name: 'go-consul-api',
  watches: true,
  version: 'github.com/hashicorp/consul/api 1.34.5',
  protocol: 'consul',
  tools: ['go'],
  build: () =>
    step(
      'go',
      ['build', '-trimpath', '-o', join(CACHE, 'go', 'service'), '.'],
      {
        GOMODCACHE: join(CACHE, 'go', 'modules'),
        GOCACHE: join(CACHE, 'go', 'build'),
        GOFLAGS: '-modcacherw',
        GOTOOLCHAIN: 'local',
      },
      join(PROGRAMS, 'go'),
    ),
  start: (registry, port, instance) => ({
    command: [join(CACHE, 'go', 'service'), 'native', 'go-consul-api'],
    env: { REGISTRY: registry, PORT: String(port), SERVICE: 'go-consul-api', NAME: instance, TTL: '3s' },
  }),
}

function python(name: string, version: string, protocol: keyof Registries): Client {
  const folder = join(CACHE, 'python', `${name}-${version}`)
  return {
    name,
    version: `${name} ${version}`,
    protocol,
    tools: ['python3'],
    async build() {
      if (existsSync(join(folder, 'whole'))) return
      mkdirSync(folder, { recursive: true })
      await step('python3', ['-m', 'venv', folder])
      await step(join(folder, 'bin', 'pip'), [
        'install',
        '-q',
        '--no-deps',
        '-r',
        join(PROGRAMS, 'python', `${name}.txt`),
      ])
      mkdirSync(join(folder, 'whole'))
    },
    start: (registry, port, instance) => ({
      command: [join(folder, 'bin', 'python'), join(PROGRAMS, 'python', 'service.py')],
      env: { REGISTRY: registry, PORT: String(port), SERVICE: name, NAME: instance, PROTOCOL: protocol },
    }),
  }
}

/** All of them, in the order in which they are tried. Versions are those that the folders of the programs pin. */
export const CLIENTS: readonly Client[] = [
  spring('eureka', 'Spring Cloud Netflix Eureka client 5.0.3 (Spring Cloud 2025.1.4, Boot 4.0.7)'),
  spring('consul', 'Spring Cloud Consul discovery 5.0.4 (Spring Cloud 2025.1.4, Boot 4.0.7)'),
  go,
  python('py-eureka-client', '0.13.3', 'eureka'),
  python('python-consul', '1.1.0', 'consul'),
  python('py-consul', '1.8.0', 'consul'),
]

/** Why a program cannot be run on this machine; undefined where it is ready. */
export async function obstacle(client: Pick<Client, 'tools' | 'build'>): Promise<string | undefined> {
  const missing = client.tools.find((tool) => programOnPath(tool) === undefined)
  if (missing !== undefined) return `there is no ${missing} here`
  return client.build().then(
    () => undefined,
    (error: Error) => error.message,
  )
}

const running = new Set<ChildProcess>()

/** Ends all programs that still run. */
export async function endPrograms(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'close'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(ends)
}

/** Starts a program; resolves once it answers, and rejects with what it said where it does not. */
export async function startProgram(
  client: Client,
  registries: Registries,
  port: number,
  name: string,
): Promise<Program> {
  const { command, env = {} } = client.start(registries[client.protocol], port, name)
  const [file = '', ...args] = command
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-20_000)))
  const ended = new Promise<void>((done) =>
    child.once('error', done).once('close', () => {
      running.delete(child)
      done()
    }),
  )
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(10_000) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${client.name} ${path}: ${answer.status} ${text.slice(0, 500)}`)
    return text
  }
  for (const end = performance.now() + START_MS_MAX; ; await new Promise((done) => setTimeout(done, 100))) {
    if ((await ask('/hello').catch(() => '')) === name) break
    if (child.exitCode === null && performance.now() < end) continue
    child.kill('SIGKILL')
    throw new Error(`${client.name} does not start: ${said}`)
  }
  return {
    port,
    name,
    ask,
    listed: async (service) => JSON.parse(await ask(`/listed?service=${service}`)) as Listed[],
    said: () => said,
    async end(signal) {
      child.kill(signal)
      await ended
    },
  }
}
