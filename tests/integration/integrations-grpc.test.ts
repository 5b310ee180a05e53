/** Channels of grpc-js to `rollcall:///…`: real servers that die, a registry that dies. */
import { Client, credentials, status, type ClientOptions } from '@grpc/grpc-js'
import { connect, type Rollcall, type Service } from '@rollcall/client'
import { installResolver, type InstalledResolver } from '@rollcall/integrations/grpc'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startLoad } from './support/load.js'
import { endAll, start, until, type Child } from './support/processes.js'

let registry: ServerProcess
let consumer: Rollcall
let orders: Service
/** Lives through it all. */
let stayer: Child
let resolver: InstalledResolver
const channels: Client[] = []

const provider = (): Promise<Child> => start('grpc-child.mjs', registry.url, 'orders')

function channel(target: string, options: ClientOptions = {}): Client {
  const client = new Client(target, credentials.createInsecure(), options)
  channels.push(client)
  return client
}

/** Calls a method and resolves to the pid that answered. */
function call(client: Client, method = 'Get', request = 'order 42'): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/shop.Orders/${method}`,
      (text: string) => Buffer.from(text),
      (buffer) => buffer.toString(),
      request,
      { deadline: Date.now() + 10_000 },
      (error, pid) => (error === null ? resolve(pid!) : reject(error)),
    )
  })
}

/** Resolves to the error of a call, and rejects if there is none. */
const failed = (pending: Promise<string>): Promise<unknown> =>
  pending.then(
    (answer) => Promise.reject(new Error(answer)),
    (error: unknown) => error,
  )

const listed = (): number => orders.candidates().length

const pid = ({ process }: Child): string => String(process.pid)

beforeAll(async () => {
  registry = await startServerProcess()
  consumer = await connect({ registries: [registry.url], snapshotDir: false })
  orders = consumer.service('orders')
  resolver = installResolver(consumer, { idempotent: ['shop.Orders/Get', 'shop.Orders/BreakOff'] })
  stayer = await provider()
})

afterEach(() => {
  for (const client of channels.splice(0)) client.close()
})

afterAll(async () => {
  await consumer.close()
  await endAll()
  await killServerProcesses()
})

describe('a channel to rollcall:///orders', () => {
  it('names namespace and group if need be, and refuses what is no name', async () => {
    expect(await call(channel('rollcall://default/orders/default'))).toBe(pid(stayer))
    expect(() => channel('rollcall:///no name')).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })

  it('watches its service until it is closed', async () => {
    const watched = (): string[] => consumer.status().services.map(({ service }) => service)
    const client = channel('rollcall:///orders-of-nobody')
    const calling = failed(call(client))
    await until(() => watched().includes('orders-of-nobody'), 'it watches')
    client.close()
    await until(() => !watched().includes('orders-of-nobody'), 'it has ended')
    expect(await calling).toMatchObject({ code: status.UNAVAILABLE })
    expect(watched()).toContain('orders')
  })

  it('does not repeat what may have been executed', async () => {
    const victim = await provider()
    const client = channel('rollcall:///orders')
    const load = startLoad(() => call(client))
    await until(() => load.answers.has(pid(victim)), 'both are called')
    expect(await load.end()).toEqual([])
    const placed = [call(client, 'Place'), call(client, 'Place')]
    // Round robin: one of them is at the victim, and both were sent before this one is answered.
    await call(client)
    victim.process.kill('SIGKILL')
    await expect(Promise.any(placed.map(failed))).resolves.toMatchObject({ code: status.UNAVAILABLE })
  })

  it('repeats answers that break off, with the interceptor', async () => {
    const victim = await provider()
    const client = channel('rollcall:///orders', { interceptors: [resolver.interceptor] })
    const load = startLoad(() => call(client))
    await until(() => load.answers.has(pid(victim)), 'both are called')
    expect(await load.end()).toEqual([])
    const calls = [1, 2, 3, 4].map(() => call(client, 'BreakOff', pid(victim)))
    expect(new Set(await Promise.all(calls))).toEqual(new Set([pid(stayer)]))
    await until(() => victim.process.signalCode === 'SIGKILL', 'it was asked, and died')
  })

  it('follows the list; of those that die or leave under load no idempotent call fails', async () => {
    await until(() => listed() === 1, 'no other is left')
    const [victim, leaver] = [await provider(), await provider()]
    const client = channel('rollcall:///orders', { interceptors: [resolver.interceptor] })
    const load = startLoad(() => call(client))
    await until(() => load.answers.size === 3, 'all are called')

    victim.process.kill('SIGKILL')
    await until(() => listed() === 2, 'the dead one is known')
    await load.more(20)
    leaver.process.kill('SIGTERM')
    await until(() => leaver.process.exitCode === 0, 'it ends in good order')
    const newcomer = await provider()
    await until(() => load.answers.has(pid(newcomer)), 'the new one is called')

    await registry.kill()
    await load.more(50)
    newcomer.process.kill('SIGKILL')
    await load.more(50)
    expect(await load.end()).toEqual([])
    expect(await call(client)).toBe(pid(stayer))
  })
})
