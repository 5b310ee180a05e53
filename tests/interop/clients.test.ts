/**
 * Unchanged clients of Eureka and of Consul, each with a registry of its own: they register, find and call each other and what is
 * registered natively; one is killed, one ends in order, the registry is restarted. Both sides are asked: the client what it
 * lists, the node by its own API. In the end all are in one registry.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, type ServerProcess, startServerProcess } from '@rollcall/testkit'
import type { Explanation, Instance } from '@rollcall/wire'
import { afterEach, expect, it, type TestContext } from 'vitest'
import { measured } from '../integration/support/chaos-form.js'
import { without } from '../integration/support/guests/guest.js'
import { freePort, until } from '../integration/support/processes.js'
import {
  type Client,
  CLIENTS,
  endPrograms,
  obstacle,
  type Program,
  type Registries,
  startProgram,
} from './support/clients.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  await endPrograms()
  await killServerProcesses()
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A lease is 3 s in all of these programs; what is to be noticed shall be within four of them. */
const NOTICED_MS_MAX = 12_000
/** A Java program on a busy machine. */
const STARTED_MS_MAX = 40_000

/** A node that can be stopped and started in its place, with all adapters. */
class Registry {
  readonly #listen: string
  readonly at: Registries
  readonly #folder = mkdtempSync(join(tmpdir(), 'rollcall-interop-'))
  #node: ServerProcess | undefined

  private constructor(listen: string, at: Registries) {
    this.#listen = listen
    this.at = at
    cleanUp.push(() => rmSync(this.#folder, { recursive: true, force: true }))
  }

  static async start(): Promise<Registry> {
    const [own, eureka, consul] = [await freePort(), await freePort(), await freePort()]
    const registry = new Registry(`127.0.0.1:${own}`, {
      eureka: `127.0.0.1:${eureka}`,
      consul: `127.0.0.1:${consul}`,
    })
    await registry.start()
    return registry
  }

  async start({ empty = false } = {}): Promise<void> {
    const { eureka, consul } = this.at
    this.#node = await startServerProcess({
      listen: this.#listen,
      args: ['--eureka', eureka, '--consul', consul],
      ...(empty ? {} : { dataDir: this.#folder }),
    })
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.#node?.stop(signal)
  }

  async register(service: string, port: number): Promise<void> {
    const instances = [{ service, host: '127.0.0.1', port, liveness: 'static', metadata: { by: 'native' } }]
    const answer = await fetch(`http://${this.#listen}/api/v1/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ instances }),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }

  async list(service: string): Promise<readonly Instance[]> {
    const answer = await fetch(`http://${this.#listen}/api/v1/services/${service}`)
    return answer.ok ? ((await answer.json()) as { readonly instances: readonly Instance[] }).instances : []
  }

  async explain(service: string, id: string): Promise<Explanation> {
    const query = new URLSearchParams({ service, id })
    const answer = await fetch(`http://${this.#listen}/api/v1/explain?${query.toString()}`)
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as Explanation
  }
}

/** A service that no foreign client has registered. */
async function provideNatively(registry: Registry): Promise<void> {
  const server = createServer((_request, response) => response.end('native'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await registry.register('native', (server.address() as AddressInfo).port)
}

async function prepare(context: TestContext, client: Client): Promise<void> {
  const reason = await obstacle(client)
  if (reason !== undefined) without(context, `${client.name}: ${reason}`)
}

const portsListed = async (program: Program, service: string): Promise<number[]> =>
  (await program.listed(service).catch(() => [])).map(({ port }) => port).toSorted((a, b) => a - b)

const sees = async (program: Program, service: string, ...of: readonly Program[]): Promise<boolean> =>
  (await portsListed(program, service)).join(' ') ===
  of
    .map(({ port }) => port)
    .toSorted((a, b) => a - b)
    .join(' ')

/** Waits until the watch of a program was told of these. */
async function watches(
  client: Client,
  program: Program,
  what: string,
  ...of: readonly Program[]
): Promise<void> {
  if (client.watches !== true) return
  const told = async (): Promise<string> => {
    const list = JSON.parse(await program.ask(`/watched?service=${client.name}`)) as readonly Program[] | null
    return (list ?? [])
      .map(({ port }) => port)
      .toSorted((a, b) => a - b)
      .join(' ')
  }
  const wanted = of
    .map(({ port }) => port)
    .toSorted((a, b) => a - b)
    .join(' ')
  const ms = await until(
    async () => (await told()) === wanted,
    `the watch of ${client.name}: ${what}`,
    NOTICED_MS_MAX,
  )
  measured(`${client.name}: its watch is told: ${what}`, [ms])
}

const natively = async (
  registry: Registry,
  service: string,
  { port }: Program,
): Promise<Instance | undefined> => (await registry.list(service)).find((each) => each.port === port)

/** How long until a program is in no list any more as one that is called: of the client, and natively. */
async function noticed(
  registry: Registry,
  client: Client,
  by: Program,
  gone: Program,
): Promise<[number, number]> {
  return Promise.all([
    until(() => sees(by, client.name, by), `${client.name} ${by.name} lists ${gone.name}`, NOTICED_MS_MAX),
    until(
      async () => (await natively(registry, client.name, gone))?.state !== 'up',
      `${gone.name} is up natively`,
      NOTICED_MS_MAX,
    ),
  ])
}

/** What the node itself says of a program: up, with what it told, and by which protocol. */
async function isKnown(registry: Registry, client: Client, program: Program): Promise<void> {
  const instance = await natively(registry, client.name, program)
  expect(instance).toMatchObject({ state: 'up', host: '127.0.0.1' })
  // A client of Python tells its name in a tag: it has no word for metadata.
  expect(JSON.stringify(instance?.metadata)).toMatch(new RegExp(`name(":"|=)${program.name}\\b`))
  const { content, listed } = await registry.explain(client.name, instance?.id ?? '')
  expect({ listed, via: content.via }).toEqual({ listed: true, via: client.protocol })
}

/** Restarts the registry under a running program; how long until the program is found again by both sides. */
async function restart(registry: Registry, client: Client, a: Program, how: NodeJS.Signals): Promise<void> {
  await registry.stop(how)
  const goesOn = await a.ask('/hello')
  expect(goesOn).toBe(a.name)
  await registry.start()
  // At once, from the journal: what is registered by this protocol may never register again.
  expect((await natively(registry, client.name, a))?.port).toBe(a.port)
  const ms = await until(
    async () => (await natively(registry, client.name, a))?.state === 'up' && (await sees(a, client.name, a)),
    `${client.name} is back after ${how}`,
    NOTICED_MS_MAX,
  )
  measured(`${client.name}: registry restarted after ${how}, listed as up on both sides`, [ms])
  await isKnown(registry, client, a)
}

for (const client of CLIENTS) {
  it(`${client.name} (${client.version}) registers, finds, calls, is noticed when it dies and outlives the registry`, async (context) => {
    await prepare(context, client)
    const registry = await Registry.start()
    await provideNatively(registry)
    const [portA, portB] = [await freePort(), await freePort()]
    const start = (port: number, name: string): Promise<Program> =>
      startProgram(client, registry.at, port, name)
    const [a, first] = await Promise.all([start(portA, 'a'), start(portB, 'b')])
    const both = (b: Program): Promise<number> =>
      until(
        async () => (await sees(a, client.name, a, b)) && (await sees(b, client.name, a, b)),
        `${client.name} lists both`,
        STARTED_MS_MAX,
      )
    await both(first)
    for (const each of [a, first]) await isKnown(registry, client, each)
    const shown = await a.listed(client.name)
    expect(shown.map(({ metadata }) => metadata['name']).toSorted()).toEqual(['a', 'b'])
    expect(['a', 'b']).toContain(await a.ask(`/call?service=${client.name}`))
    await until(async () => (await portsListed(a, 'native')).length === 1, 'the native service is listed')
    expect(await a.ask('/call?service=native')).toBe('native')

    await watches(client, a, 'two instances', a, first)
    await first.end('SIGKILL')
    const [killedThere, killedHere] = await noticed(registry, client, a, first)
    measured(`${client.name}: killed with -9, not in the client's list`, [killedThere])
    measured(`${client.name}: killed with -9, natively not up`, [killedHere])
    await watches(client, a, 'one was killed', a)

    const second = await start(portB, 'b')
    measured(`${client.name}: started again, in both lists`, [await both(second)])
    await second.end('SIGTERM')
    const [endedThere, endedHere] = await noticed(registry, client, a, second)
    measured(`${client.name}: ended in order, not in the client's list`, [endedThere])
    measured(`${client.name}: ended in order, natively not up`, [endedHere])
    expect(await natively(registry, client.name, second)).toBeUndefined()

    await restart(registry, client, a, 'SIGTERM')
    await restart(registry, client, a, 'SIGKILL')
    const third = await start(portB, 'b')
    await both(third)
    await watches(client, a, 'one more, after two restarts of the registry', a, third)
  })
}

for (const client of CLIENTS.filter(({ protocol }) => protocol === 'eureka')) {
  it(`${client.name} registers again by itself where the registry lost everything`, async (context) => {
    await prepare(context, client)
    const registry = await Registry.start()
    const a = await startProgram(client, registry.at, await freePort(), 'a')
    await until(() => sees(a, client.name, a), 'it is listed', STARTED_MS_MAX)
    await registry.stop('SIGKILL')
    await registry.start({ empty: true })
    const ms = await until(
      async () =>
        (await natively(registry, client.name, a))?.state === 'up' && (await sees(a, client.name, a)),
      'it is registered again',
      STARTED_MS_MAX,
    )
    measured(`${client.name}: registry began with nothing, registered and listed again`, [ms])
    expect(await a.ask('/hello')).toBe('a')
    await isKnown(registry, client, a)
  })
}

it('all of them find and call each other in one registry', async (context) => {
  const able: Client[] = []
  for (const client of CLIENTS) if ((await obstacle(client)) === undefined) able.push(client)
  if (able.length < 2) without(context, 'fewer than two clients can be run here')
  const registry = await Registry.start()
  await provideNatively(registry)
  const programs = await Promise.all(
    able.map(async (client) => startProgram(client, registry.at, await freePort(), client.name)),
  )
  for (const program of programs) {
    for (const other of programs) {
      await until(
        () => sees(program, other.name, other),
        `${program.name} lists ${other.name}`,
        STARTED_MS_MAX,
      )
      expect(await program.ask(`/call?service=${other.name}`)).toBe(other.name)
    }
    expect(await program.ask('/call?service=native')).toBe('native')
  }
  for (const [index, client] of able.entries()) await isKnown(registry, client, programs[index]!)
  const [killed, ...others] = programs
  if (killed === undefined) return
  await killed.end('SIGKILL')
  const times = await Promise.all(
    others.map((each) =>
      until(() => sees(each, killed.name), `${each.name} lists ${killed.name}`, NOTICED_MS_MAX),
    ),
  )
  measured(
    `${killed.name} killed with -9 in one registry of all: in no list of ${others.length} other clients`,
    times,
  )
})
