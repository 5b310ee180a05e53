/** The SDK at a registry that refuses the connection itself, with real sockets. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type Rollcall } from '@rollcall/client'
import { afterEach, describe, expect, it } from 'vitest'

const servers: Server[] = []
const clients: Rollcall[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  for (const server of servers.splice(0)) server.close()
})

/** Answers each attempt to connect with this. */
async function refusing(status: number, body: string): Promise<Rollcall> {
  const server = createServer().on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined)
    socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const client = await connect({
    registries: [`http://127.0.0.1:${port}`],
    snapshotDir: false,
    logger: false,
    times: { pendingMs: 2_000, closeMs: 100 },
  })
  clients.push(client)
  return client
}

const REFUSAL = JSON.stringify({ error: { code: 'forbidden_host', message: 'not by that name' } })
const INSTANCE = { service: 's', host: '127.0.0.1', port: 1 }

describe('a registry that refuses the connection', () => {
  it('rejects register() with what it says, and shows in status()', async () => {
    const client = await refusing(403, REFUSAL)
    await expect(client.register(INSTANCE)).rejects.toMatchObject({
      code: 'forbidden_host',
      message: 'default: not by that name',
    })
    expect(client.status().connection).toMatchObject({ error: { code: 'forbidden_host' } })
  })

  it.each([
    [503, REFUSAL],
    [429, REFUSAL],
    [403, 'a page of some proxy'],
    [403, 'x'.repeat(1_000_000)],
  ])('is waited for where %d may pass, or is no word of a registry', async (status, body) => {
    const client = await refusing(status, body)
    expect(await client.register(INSTANCE)).toMatchObject({ state: 'pending' })
    expect(client.status().connection).not.toHaveProperty('error')
  })
})
