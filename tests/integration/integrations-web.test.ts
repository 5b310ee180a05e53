/** Providers in Express, Fastify and NestJS, killed and shut down under load. */
import axios, { type AxiosInstance } from 'axios'
import { request, type Dispatcher } from 'undici'
import { createAdapter } from '@rollcall/integrations/axios'
import { serve } from '@rollcall/integrations/express'
import { createDispatcher } from '@rollcall/integrations/undici'
import { connect, type Rollcall, type Service } from '@rollcall/client'
import { startServerProcess, killServerProcesses, type ServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endAll, freePort, start, until, type Child } from './support/processes.js'
import { startLoad } from './support/load.js'

const FRAMEWORKS = ['express', 'fastify', 'nest'] as const

let registry: ServerProcess
let consumer: Rollcall
let orders: Service
let dispatcher: Dispatcher
let api: AxiosInstance
const providers = new Map<string, Child>()

async function provider(framework: string): Promise<Child> {
  const child = await start('framework-child.mjs', framework, registry.url, 'orders')
  providers.set(child.ready, child)
  return child
}

beforeAll(async () => {
  registry = await startServerProcess()
  consumer = await connect({ registries: [registry.url], snapshotDir: false })
  orders = consumer.service('orders')
  dispatcher = createDispatcher(consumer)
  api = axios.create({ adapter: createAdapter(consumer), baseURL: 'http://orders.rollcall' })
  await Promise.all([...FRAMEWORKS, ...FRAMEWORKS].map(provider))
  await until(() => orders.candidates().length === 6, 'all six are up')
})

afterAll(async () => {
  await consumer.close()
  await dispatcher.destroy()
  await endAll()
  await killServerProcesses()
})

/** Each way of calling: resolves to the pid that answered. */
const CALLS: Readonly<Record<string, () => Promise<string>>> = {
  async fetch() {
    const response = await orders.fetch('/')
    if (response.status !== 200) throw new Error(`answered ${response.status}`)
    return response.text()
  },
  async undici() {
    const { statusCode, body } = await request('http://orders.rollcall/', { dispatcher })
    if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
    return body.text()
  },
  async 'fetch of Node with a dispatcher'() {
    // Node types the dispatcher of its own copy of undici.
    const init = { dispatcher } as unknown as RequestInit
    const response = await fetch('http://orders.rollcall/', init)
    if (response.status !== 200) throw new Error(`answered ${response.status}`)
    return response.text()
  },
  async axios() {
    return String((await api.get<number>('/')).data)
  },
}

/** Its states in the list until it is gone, and why it is. */
async function courseOf(id: string): Promise<string[]> {
  const states: string[] = []
  for await (const { instances, removes } of orders.changes()) {
    const state =
      instances.find((item) => item.id === id)?.state ??
      removes.find(({ instance }) => instance.id === id)?.reason
    if (state === undefined) break
    if (states.at(-1) !== state) states.push(state)
    if (!instances.some((item) => item.id === id)) break
  }
  return states
}

/** Nest ends with the signal that it was sent, the others with 0. */
const ended = ({ process }: Child): boolean => process.exitCode === 0 || process.signalCode === 'SIGTERM'

const byFramework = (framework: string): [string, Child][] =>
  [...providers].filter(([id]) =>
    orders.instances().some((item) => item.id === id && item.metadata['framework'] === framework),
  )

describe.each(FRAMEWORKS)('%s', (framework) => {
  it('is killed, and no call fails', async () => {
    const [id, victim] = byFramework(framework)[0]!
    const loads = Object.values(CALLS).map(startLoad)
    await until(() => loads.every((load) => load.answers.has(String(victim.process.pid))), 'it is called')
    victim.process.kill('SIGKILL')
    await until(() => !orders.candidates().some((item) => item.id === id), 'it is called no more')
    for (const load of loads) await load.more(20)
    for (const load of loads) expect(await load.end()).toEqual([])
  })

  it('is told to stop, leaves first, and no call fails', async () => {
    const child = await provider(framework)
    const { pid } = child.process
    await until(() => orders.candidates().some((item) => item.id === child.ready), 'it is up')
    const loads = Object.values(CALLS).map(startLoad)
    await until(() => loads.every((load) => load.answers.has(String(pid))), 'it is called')
    const course = courseOf(child.ready)
    child.process.kill('SIGTERM')
    await until(() => ended(child), 'it has ended by itself', 20_000)
    for (const load of loads) expect(await load.end()).toEqual([])
    expect(await course).toEqual(['up', 'draining', 'deregistered'])
  })
})

it('a server that starts before its registry is up in it as soon as there is one', async () => {
  const listen = `127.0.0.1:${await freePort()}`
  const served = await serve((_request, response) => response.end(), {
    client: { registries: [`http://${listen}`], snapshotDir: false, times: { pendingMs: 100 } },
    service: 'early',
    listen: { host: '127.0.0.1' },
    ready: () => undefined,
    settleMs: 0,
  })
  const registration = await served.registered
  expect(registration.state).toBe('pending')
  await startServerProcess({ listen })
  await until(() => registration.state === 'up', 'it is up')
  await served.close()
  expect([registration.state, served.server.listening]).toEqual(['deregistered', false])
})
