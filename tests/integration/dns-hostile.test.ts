/** DNS and those who mean no good: forged senders, floods, noise. And lists that are long. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { decode } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { cleanUp, framed, many, open, post, question, serve } from './support/dns-node.js'
import { freePort } from './support/processes.js'

/** Sends a datagram some times, from an address to another; gives what comes back until nothing more does. */
async function volley(message: Buffer, count: number, host: string, port: number): Promise<Buffer[]> {
  const socket = createSocket('udp4')
  cleanUp.push(() => socket.close())
  const answers: Buffer[] = []
  socket.on('message', (answer) => answers.push(answer))
  for (let n = 0; n < count; n++) await new Promise((resolve) => socket.send(message, port, host, resolve))
  for (let before = -1; before !== answers.length;) {
    before = answers.length
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  return answers
}

/** An address of this machine that is not loopback: callers from there count as others. */
const beyond = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address

describe('a source beyond this machine', () => {
  // A machine that has loopback alone has no such source.
  it.skipIf(beyond === undefined)('is sent no more than it sent, past its rate, and has TCP', async () => {
    const host = beyond ?? ''
    const port = await freePort()
    const served = await serve({ dns: `0.0.0.0:${port}`, insecureListen: true, dnsQueriesPerSourceMax: 10 })
    await post(served, 'register', many(50))
    const message = question()
    const answers = await volley(message, 300, host, port)
    const full = answers.filter((each) => each.length > message.length)
    // It may have its second's worth at once, and some of the next while they are sent.
    expect(full.length).toBeGreaterThanOrEqual(10)
    expect(full.length).toBeLessThan(100)
    const limited = answers.filter((each) => each.length <= message.length).map((each) => decode(each))
    expect(limited.length).toBeGreaterThan(100)
    for (const each of limited) expect([each.answers, (each.flags ?? 0) & 0x200]).toEqual([[], 0x200])
    const resolver = new Resolver({ timeout: 2_000, tries: 2 })
    resolver.setServers([`${host}:${port}`])
    expect(await resolver.resolve4('orders.service.rollcall')).toHaveLength(50)
  })
})

describe('floods', () => {
  it('of the largest messages there are, of names that point at each other, and of cut ones', async () => {
    const served = await serve()
    await post(served, 'register', many(3))
    const header = (counts: string): Buffer => Buffer.from(`00010100${counts}`, 'hex')
    // 10,000 questions that point at the first, which points at itself; as many records; a length that is never sent.
    const pointing = Buffer.concat([
      header('2710000000000000'),
      ...Array(10_000).fill(Buffer.from('c00c00010001', 'hex')),
    ])
    const records = Buffer.concat([
      header('000100000000ffff'),
      Buffer.from('0000010001', 'hex'),
      ...Array(5_400).fill(Buffer.from('c00c00010001000000000000', 'hex')),
    ])
    for (const message of [pointing, records, Buffer.alloc(65_000, 63)]) {
      for (const size of [message.length, 600, 30]) {
        const cut = message.subarray(0, Math.min(size, 65_000))
        for (const answer of await volley(cut, 20, '127.0.0.1', served.port))
          expect(answer.length).toBeLessThanOrEqual(cut.length)
      }
      const socket = await open(served.port)
      socket.write(framed(message.subarray(0, 65_000)))
      socket.resume()
      await once(socket, 'close')
    }
    expect(await served.resolver.resolve4('orders.service.rollcall')).toHaveLength(3)
  })

  it('of connections and datagrams leave the native protocol its turns', async () => {
    const served = await serve()
    await post(served, 'register', many(10_000))
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(served.port)))
    const bytes = Buffer.concat(Array.from({ length: 100 }, (_, id) => framed(question(undefined, id))))
    for (const socket of sockets) {
      socket.resume()
      socket.write(bytes)
    }
    const flood = Promise.all(
      Array.from({ length: 20 }, () => volley(question(), 100, '127.0.0.1', served.port)),
    )
    for (let n = 0; n < 5; n++) {
      const answer = await fetch(`${served.node.url}/api/v1/services?limit=1`, {
        signal: AbortSignal.timeout(10_000),
      })
      expect(answer.status).toBe(200)
      await answer.arrayBuffer()
    }
    await flood
    for (const socket of sockets) socket.destroy()
    expect(await served.resolver.resolveSoa('rollcall')).toMatchObject({ nsname: 'ns.rollcall' })
  })
})

describe('a long list', () => {
  it('comes whole over both transports, and shows what changes', async () => {
    const served = await serve()
    await post(
      served,
      'register',
      many(5_000).map((each) => ({ ...each, service: 'many' })),
    )
    const [a, b, srv] = await Promise.all([
      served.resolver.resolve4('many.service.rollcall'),
      served.resolver.resolve4('many.service.rollcall'),
      served.resolver.resolveSrv('many.service.rollcall'),
    ])
    expect([a.length, b.length]).toEqual([4_093, 4_093])
    expect(srv.length).toBeGreaterThan(1_000)
    await post(
      served,
      'deregister',
      Array.from({ length: 4_998 }, (_, n) => ({ service: 'many', id: `i${n}` })),
    )
    await expect
      .poll(async () => (await served.resolver.resolve4('many.service.rollcall')).sort())
      .toEqual(['10.0.19.134', '10.0.19.135'])
  })
})

describe('noise', () => {
  it('over UDP and TCP leaves a node that answers', async () => {
    const served = await serve()
    await post(served, 'register', many(3))
    const socket = createSocket('udp4')
    cleanUp.push(() => socket.close())
    let state = 7
    const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
    for (let n = 0; n < 2_000; n++) {
      const message = n % 2 === 0 ? question() : Buffer.alloc(next(600))
      for (let changed = next(5); changed >= 0; changed--)
        if (message.length > 0) message[next(message.length)] = next(256)
      await new Promise((resolve) => socket.send(message, served.port, '127.0.0.1', resolve))
    }
    for (let n = 0; n < 20; n++) {
      const stream = await open(served.port)
      stream.write(Buffer.from(Array.from({ length: next(2_000) }, () => next(256))))
    }
    expect(await served.resolver.resolve4('orders.service.rollcall')).toHaveLength(3)
  })
})
