/** DNS over real sockets: as Node's own resolver asks, over UDP and TCP, and as clients ask that mean no good. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { startNode } from '@rollcall/server'
import { describe, expect, it } from 'vitest'
import { cleanUp, framed, many, open, post, question, serve, take } from './support/dns-node.js'
import { freePort } from './support/processes.js'

describe("Node's resolver", () => {
  it('finds what is registered, and no longer what is not', async () => {
    const served = await serve()
    const { resolver } = served
    await post(served, 'register', [
      { service: 'orders', id: 'a', host: '10.0.0.1', port: 8_080, liveness: 'static' },
      { service: 'orders', id: 'b', host: '2001:db8::2', port: 8_081, weight: 7, liveness: 'static' },
      { service: 'orders', id: 'c', host: '10.0.0.3', port: 8_082, state: 'starting' },
    ])
    expect(await resolver.resolve4('orders.service.rollcall', { ttl: true })).toEqual([
      { address: '10.0.0.1', ttl: 1 },
    ])
    expect(await resolver.resolve6('Orders.Service.Rollcall')).toEqual(['2001:db8::2'])
    const found = await resolver.resolveSrv('_orders._tcp.service.rollcall')
    expect(found.toSorted((a, b) => a.port - b.port)).toEqual([
      { name: '0a000001.addr.rollcall', port: 8_080, priority: 0, weight: 100 },
      { name: '20010db8000000000000000000000002.addr.rollcall', port: 8_081, priority: 0, weight: 7 },
    ])
    expect(await resolver.resolve4('0a000001.addr.rollcall')).toEqual(['10.0.0.1'])
    await expect(resolver.resolve4('billing.service.rollcall')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolveTxt('orders.service.rollcall')).rejects.toMatchObject({ code: 'ENODATA' })
    await expect(resolver.resolve4('example.com')).rejects.toMatchObject({ code: 'EREFUSED' })
    await post(served, 'deregister', [{ service: 'orders', id: 'a' }])
    await expect(resolver.resolve4('orders.service.rollcall')).rejects.toMatchObject({ code: 'ENODATA' })
    expect(await (await fetch(`${served.node.url}/metrics`)).text()).toMatch(
      /rollcall_dns_queries_total\{answer="records"\} 4/,
    )
  })

  it('comes by TCP for what no datagram holds', async () => {
    const served = await serve()
    await post(served, 'register', many(1_000))
    expect(new Set(await served.resolver.resolve4('orders.service.rollcall')).size).toBe(1_000)
    expect(await served.resolver.resolveSrv('orders.service.rollcall')).toHaveLength(1_000)
  })

  it('finds a zone of any name, on IPv6 too', async () => {
    const served = await serve({ dnsDomain: 'svc.example.com', dnsTtlMs: 5_000 })
    await post(served, 'register', many(1))
    expect(await served.resolver.resolve4('orders.service.svc.example.com', { ttl: true })).toEqual([
      { address: '10.0.0.0', ttl: 5 },
    ])
    expect(await served.resolver.resolveSoa('svc.example.com')).toMatchObject({
      nsname: 'ns.svc.example.com',
      minttl: 5,
    })
  })
})

describe('clients of other registries', () => {
  it('register what is found by name: Consul as Consul has it, Eureka in any case', async () => {
    const [consul, eureka] = [await freePort(), await freePort()]
    const served = await serve({ consul: `127.0.0.1:${consul}`, eureka: `127.0.0.1:${eureka}` })
    const { resolver } = served
    const put = async (path: string, body: object | undefined): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${consul}/v1/agent/${path}`, {
        method: 'PUT',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return answer.status
    }
    const web = {
      ID: 'web-1',
      Name: 'web',
      Address: '127.0.0.1',
      Port: 8_080,
      Tags: ['primary', 'v1.2'],
      Weights: { Passing: 7, Warning: 1 },
      Check: { TTL: '30s' },
    }
    expect(await put('service/register', web)).toBe(200)
    // It is critical until its first beat.
    await expect(resolver.resolve4('web.service.consul')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(await put('check/pass/service:web-1', undefined)).toBe(200)
    for (const name of ['web.service.consul', 'primary.web.service.dc1.consul', 'v1.2.web.service.rollcall'])
      expect(await resolver.resolve4(name)).toEqual(['127.0.0.1'])
    expect(await resolver.resolveSrv('_web._primary.service.consul')).toEqual([
      { name: '7f000001.addr.dc1.consul', port: 8_080, priority: 1, weight: 7 },
    ])
    expect(await resolver.resolve4('rollcall.node.consul')).toEqual(['127.0.0.1'])
    expect(await put('check/fail/service:web-1', undefined)).toBe(200)
    await expect(resolver.resolve4('web.service.consul')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    const app = {
      instance: {
        hostName: 'h1',
        ipAddr: '127.0.0.1',
        app: 'ORDERS',
        status: 'UP',
        port: { $: 9_090, '@enabled': 'true' },
        dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      },
    }
    const registered = await fetch(`http://127.0.0.1:${eureka}/eureka/apps/ORDERS`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(app),
    })
    expect(registered.status).toBe(204)
    expect(await resolver.resolveSrv('orders.service.rollcall')).toMatchObject([{ port: 9_090 }])
  })
})

describe('a listener', () => {
  it('is at the port of Consul on loopback where the flag stands alone, and says which setting is wrong', async () => {
    const taken = await serve()
    const flags = { memory: true, listen: '127.0.0.1:0', logLevel: 'error' }
    await expect(startNode({ ...flags, dns: `127.0.0.1:${taken.port}` })).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'dns.listen',
      message: expect.stringContaining('another process listens there') as string,
    })
    await expect(startNode({ ...flags, dns: '0.0.0.0:0' })).rejects.toThrow(/--insecure-listen/)
    await expect(startNode({ ...flags, dnsDomain: 'x' })).rejects.toThrow(/add --dns/)
    const socket = createSocket('udp4')
    cleanUp.push(() => socket.close())
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    await expect(startNode({ ...flags, dns: `127.0.0.1:${socket.address().port}` })).rejects.toMatchObject({
      field: 'dns.listen',
    })
  })

  it('takes a port that is free for both, and another interface where that is allowed', async () => {
    const node = await startNode({
      memory: true,
      listen: '127.0.0.1:0',
      logLevel: 'error',
      dns: '[::]:0',
      insecureListen: true,
    })
    await expect(node.close()).resolves.toBeUndefined()
  })
})

describe('a connection', () => {
  it('is answered in its order, whatever its pieces, and to the end', async () => {
    const served = await serve()
    await post(served, 'register', many(3))
    const socket = await open(served.port)
    const bytes = Buffer.concat(Array.from({ length: 500 }, (_, id) => framed(question(undefined, id))))
    for (let at = 0; at < 40; at++) {
      socket.write(bytes.subarray(at, at + 1))
      if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // Its last word: it reads on.
    socket.end(bytes.subarray(40))
    const answers = await take(socket, 500)
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, id) => id))
    expect(answers[499]?.answers).toHaveLength(3)
  })

  it('that asks and does not read is not read from any more, and others are served', async () => {
    const served = await serve()
    await post(served, 'register', many(4_000))
    const greedy = await open(served.port)
    greedy.pause()
    const bytes = framed(question())
    let sent = 0
    // 64 KB for each of 38 bytes, until it is no longer taken.
    while (sent < 20_000 && greedy.write(bytes)) sent++
    for (let n = 0; n < 2_000; n++) greedy.write(bytes)
    expect(await served.resolver.resolveSoa('rollcall')).toMatchObject({ nsname: 'ns.rollcall' })
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    expect(heapUsed + arrayBuffers).toBeLessThan(1_000_000_000)
    greedy.destroy()
  })

  it('with what is no query ends', async () => {
    const served = await serve()
    const socket = await open(served.port)
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    socket.resume()
    await once(socket, 'close')
    expect(await served.resolver.resolveSoa('rollcall')).toMatchObject({ nsname: 'ns.rollcall' })
  })

  it('is one of so many', async () => {
    const served = await serve({ dnsConnectionsMax: 5 })
    const sockets = await Promise.all(Array.from({ length: 5 }, () => open(served.port)))
    const sixth = await open(served.port)
    sixth.resume()
    await once(sixth, 'close')
    sockets[0]?.destroy()
    await expect
      .poll(async () => {
        const socket = await open(served.port)
        socket.write(framed(question('rollcall')))
        return Promise.race([
          take(socket, 1).then(({ length }) => length),
          once(socket, 'close').then(() => 0),
        ])
      })
      .toBe(1)
  })

  it('that asks nothing makes room for one that does', async () => {
    const served = await serve({ dnsConnectionsMax: 4 })
    const resting = await Promise.all(Array.from({ length: 4 }, () => open(served.port)))
    const [first] = resting
    first?.write(framed(question('rollcall')))
    if (first !== undefined) await take(first, 1)
    // What has asked within a second stays, and nothing has rested for longer yet.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    first?.write(framed(question('rollcall')))
    if (first !== undefined) await take(first, 1)
    const next = await open(served.port)
    next.write(framed(question('rollcall')))
    expect(await take(next, 1)).toHaveLength(1)
    first?.write(framed(question('rollcall')))
    expect(first === undefined ? [] : await take(first, 1)).toHaveLength(1)
    await expect.poll(() => resting.filter((each) => each.closed).length).toBe(1)
  })

  it('does not hold up the end of a node', async () => {
    const served = await serve()
    await open(served.port)
    const socket = await open(served.port)
    socket.write(Buffer.from([0, 30, 1]))
    await expect(served.node.close()).resolves.toBeUndefined()
  })
})
