/** Whose fault a failed call is, and whether another instance may be tried: with real sockets, whatever went wrong on them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createSocketServer, type AddressInfo, type Server as SocketServer } from 'node:net'
import { connect, type Instance, type Rollcall, type Service } from '@rollcall/client'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { without } from './support/guests/guest.js'
import { missing, WITHOUT_NETWORK } from './support/namespaces.js'
import { endAll, run } from './support/processes.js'

const CALLS = 20
const clients: Rollcall[] = []
const servers: (Server | SocketServer)[] = []

async function listen(server: Server | SocketServer): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const good = (): Promise<number> => listen(createServer((_request, response) => response.end('good')))

/** Another program listens where an instance did. */
const notHttp = (): Promise<number> =>
  listen(
    createSocketServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('SSH-2.0-x\r\n'))
    }),
  )

const file = (name: string): Buffer => readFileSync(new URL(`fixtures/tls/${name}`, import.meta.url))

/** A certificate that no authority known here has signed. */
const unknownCertificate = (): Promise<number> =>
  listen(
    createSecureServer({ cert: file('instance.crt'), key: file('instance.key') }, (_request, response) =>
      response.end('never'),
    ),
  )

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  for (const server of servers.splice(0)) server.close()
})
afterAll(endAll)

describe('an instance that cannot be talked to', () => {
  const ways: Readonly<Record<string, (service: Service) => Promise<string>>> = {
    fetch: async (service) => (await service.fetch('/')).text(),
    'a post': async (service) => (await service.fetch('/', { method: 'POST', body: 'x' })).text(),
    "call with Node's fetch": (service) =>
      service.call(
        async ({ protocol, host, port }: Instance) => (await fetch(`${protocol}://${host}:${port}/`)).text(),
        {
          idempotent: true,
        },
      ),
  }
  it.each([
    ['fetch', 'is no HTTP server', notHttp, 'http'],
    ["call with Node's fetch", 'is no HTTP server', notHttp, 'http'],
    ['fetch', 'has an unknown certificate', unknownCertificate, 'https'],
    ['a post', 'has an unknown certificate', unknownCertificate, 'https'],
    ["call with Node's fetch", 'has an unknown certificate', unknownCertificate, 'https'],
  ])('%s goes to another one, and this one is left out: it %s', async (way, _what, bad, protocol) => {
    const rollcall = await connect({
      snapshotDir: false,
      warmup: false,
      static: {
        web: [
          { host: '127.0.0.1', port: await bad(), protocol },
          { host: '127.0.0.1', port: await good(), protocol: 'http' },
        ],
      },
    })
    clients.push(rollcall)
    const service = rollcall.service('web')
    const call = ways[way]!
    for (let n = 0; n < CALLS; n += 1) expect(await call(service)).toBe('good')
    expect(service.candidates()).toHaveLength(1)
  })
})

describe('a name with several addresses', () => {
  it.for([1, 2])(
    'is one that was not reached: all are tried, with %i of them',
    async (addresses, context) => {
      const reason = missing(WITHOUT_NETWORK)
      if (reason !== undefined) without(context, reason)
      const { output } = await run(
        { script: 'unsent-child.mjs', command: WITHOUT_NETWORK },
        String(addresses),
      )
      expect(output).toBe('unreachable connect 3')
    },
  )
})
