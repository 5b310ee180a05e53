/** A node with DNS, asked over real sockets. */
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { decode, encode, type DecodedPacket } from 'dns-packet'
import { afterEach, expect } from 'vitest'
import { freePort } from './processes.js'

/** What is done at the end of each test, the last first. */
export const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

export interface Served {
  readonly node: EmbeddedNode
  readonly port: number
  readonly resolver: Resolver
}

export async function serve(more: Readonly<Record<string, unknown>> = {}): Promise<Served> {
  const port = await freePort()
  const flags = { memory: true, listen: '127.0.0.1:0', logLevel: 'error', dns: `127.0.0.1:${port}`, ...more }
  const node = await startNode(flags)
  cleanUp.push(() => node.close())
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${port}`])
  return { node, port, resolver }
}

export async function post({ node }: Served, path: string, instances: readonly object[]): Promise<void> {
  const answer = await fetch(`${node.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
  expect([answer.status, await answer.json()]).toMatchObject([200, {}])
}

export const many = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({
    service: 'orders',
    id: `i${n}`,
    host: `10.0.${n >> 8}.${n & 255}`,
    port: 8_080,
    weight: 1 + n,
    liveness: 'static',
  }))

export const question = (name = 'orders.service.rollcall', id = 1): Buffer =>
  encode({ type: 'query', id, questions: [{ name, type: 'A' }] })

export const framed = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  cleanUp.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** The messages that come over a connection, as many as are asked for. */
export async function take(socket: Socket, count: number): Promise<DecodedPacket[]> {
  let held = Buffer.alloc(0)
  const messages: DecodedPacket[] = []
  for await (const piece of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, piece])
    for (
      ;
      held.length >= 2 && held.length >= 2 + held.readUInt16BE(0);
      held = held.subarray(2 + held.readUInt16BE(0))
    )
      messages.push(decode(held.subarray(2, 2 + held.readUInt16BE(0))))
    if (messages.length >= count) break
  }
  return messages
}
