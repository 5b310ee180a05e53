/** Subscribers that do not read, from the inside of a node. */
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, instance, ONLOOKER, startNode, until, type TestNode } from './native-node.fixture.js'
import { openStream } from './stream-client.fixture.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 300, helloMsMax: 400, commentMs: 100 })
})
afterEach(() => node.close())

const register = (...instances: object[]): Promise<unknown> =>
  call(node, 'POST', '/api/v1/register', { instances })
const signOfOrders = (): string =>
  node.driver.read(ONLOOKER).sign({ namespace: 'default', service: 'orders' })
const orders = { services: [{ service: 'orders' }] }

describe('a reader that does not read', () => {
  const changes = 5_000
  /** Metadata makes 5,000 changes outgrow what the system buffers for a connection. */
  const big = (port: number): object => instance('a', { port, metadata: { note: 'x'.repeat(2_000) } })

  async function changeAll(done: (sign: string) => boolean, first = 1): Promise<void> {
    const writer = await openStream(node)
    for (let port = first; port < first + changes; port++) {
      await writer.ask({ type: 'register', instances: [big(port)] })
      if (port % 100 === 0)
        await until(() => done(signOfOrders()), `change ${port} reaches the reader that reads`)
    }
    await until(() => done(signOfOrders()), 'the last change reaches the reader that reads')
  }

  it('costs bounded memory, delays no other, and gets the list when it reads again', async () => {
    await register(big(60_000))
    const reader = await openStream(node)
    const stalled = await openStream(node)
    await reader.ask({ type: 'watch', ...orders })
    await stalled.ask({ type: 'watch', ...orders })
    const deaf = connect(node.port, '127.0.0.1')
    await new Promise<void>((resolve) => deaf.on('connect', () => resolve()))
    deaf.write('GET /api/v1/watch?service=orders HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    deaf.pause()
    await until(() => node.native.stats().eventStreams === 1, 'the deaf reader is there')
    stalled.ws.pause()
    let most = 0
    await changeAll((sign) => {
      most = Math.max(most, node.budgets.unsent.used)
      return reader.mirror.signs.get('orders') === sign
    })
    expect(node.counted.get('rollcall_slow_subscribers_total')).toBeGreaterThanOrEqual(2)
    // Two slow readers with 1 MiB each, and at most one publication more than that.
    expect(most).toBeGreaterThan(1_048_576)
    expect(most).toBeLessThan(2 * 1_048_576 + 65_536)
    expect(reader.mirror.views).toBe(1)
    stalled.ws.resume()
    await until(
      () => stalled.mirror.signs.get('orders') === signOfOrders(),
      'the stalled reader has caught up',
    )
    expect(stalled.mirror.deltas).toBeLessThan(changes)
    expect(stalled.mirror.views).toBe(2)
    await register(big(60_001))
    await until(() => stalled.mirror.signs.get('orders') === signOfOrders(), 'deltas flow again')
    deaf.destroy()
  })

  it('is disconnected when it stays so for too long', async () => {
    const strict = await startNode({ bufferBytesMax: 65_536, stalledMsMax: 300, closeMsMax: 200 })
    try {
      const client = await openStream(strict)
      await client.ask({ type: 'watch', ...orders })
      client.ws.pause()
      const send = (port: number): Promise<unknown> =>
        call(strict, 'POST', '/api/v1/register', { instances: [big(port)] })
      const stalled = (): boolean => strict.counted.has('rollcall_slow_subscribers_total')
      for (let port = 1; !stalled() && port < 20_000; port++) await send(port)
      expect(strict.budgets.unsent.used).toBeGreaterThan(32_768)
      await until(() => strict.native.stats().streams === 0, 'it is disconnected')
      expect(strict.budgets.unsent.used).toBe(0)
    } finally {
      await strict.close()
    }
  })

  it('gets no more questions answered than it reads answers to', async () => {
    await register(...Array.from({ length: 200 }, (_, index) => instance('a', { service: `s${index}` })))
    const client = await openStream(node, { perMessageDeflate: false })
    client.ws.pause()
    const question = JSON.stringify({ type: 'services' })
    let most = 0
    for (let round = 0; round < 40; round++) {
      for (let index = 0; index < 50; index++) client.ws.send(question)
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, node.budgets.unsent.used)
    }
    await until(() => node.budgets.unsent.used > 262_144, 'answers pile up')
    most = Math.max(most, node.budgets.unsent.used)
    expect(most).toBeLessThan(1_048_576)
    client.ws.resume()
    await until(
      () => client.messages.filter((each) => each.type === 'services').length === 2_000,
      'all are answered in the end',
      30_000,
    )
    expect(node.budgets.received.used).toBe(0)
  })

  it('is cut off when the questions that wait meanwhile are more than a node may hold', async () => {
    const small = await startNode({
      receivedBytesMax: 16_384,
      limits: { bodyBytesMax: 65_536 },
      closeMsMax: 200,
    })
    try {
      const instances = Array.from({ length: 200 }, (_, index) => instance('a', { service: `s${index}` }))
      await call(small, 'POST', '/api/v1/register', { instances })
      const client = await openStream(small, { perMessageDeflate: false })
      client.ws.pause()
      const question = JSON.stringify({ type: 'services' })
      while (small.budgets.received.used === 0) {
        for (let index = 0; index < 50; index++) client.ws.send(question)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(small.native.stats().streams).toBe(1)
      const long = JSON.stringify({ type: 'ping', unknown: 'x'.repeat(10_000) })
      for (let index = 0; index < 20; index++) client.ws.send(long)
      await until(() => small.native.stats().streams === 0, 'it is cut off', 10_000)
      expect(small.budgets.received.used).toBe(0)
    } finally {
      await small.close()
    }
  })

  it('is not answered pings without bound', async () => {
    const client = await openStream(node)
    client.ws.pause()
    for (let round = 0; round < 500; round++) {
      for (let index = 0; index < 400; index++) client.ws.ping('x'.repeat(100))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(node.budgets.unsent.used).toBeLessThan(1_048_576 + 65_536)
  })
})
