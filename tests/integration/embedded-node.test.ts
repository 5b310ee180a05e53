/** A node inside the process that uses it, as tests of other programs have it. */
import { connect } from '@rollcall/client'
import { startNode } from '@rollcall/server'
import { expect, it } from 'vitest'

const SETTINGS = { memory: true, listen: '127.0.0.1:0', logLevel: 'error' } as const

it('serves, is closed and started again in its place, and leaves signals alone', async () => {
  const listeners = (): number =>
    process.listenerCount('SIGTERM') + process.listenerCount('uncaughtException')
  const before = listeners()
  const first = await startNode(SETTINGS)
  const rollcall = await connect({ registries: [first.url], snapshotDir: false })
  try {
    await rollcall.register({ service: 'orders', host: '127.0.0.1', port: 3000 })
    const orders = rollcall.service('orders', { warmup: false })
    await orders.ready()
    expect(listeners()).toBe(before)

    await first.close()
    await first.close()
    await expect(fetch(`${first.url}/livez`)).rejects.toThrow('fetch failed')
    expect(orders.pick().port).toBe(3000)

    await using second = await startNode({ ...SETTINGS, listen: new URL(first.url).host })
    await expect
      .poll(async () => (await fetch(`${second.url}/api/v1/services/orders`)).status, { timeout: 30_000 })
      .toBe(200)
  } finally {
    await rollcall.close()
  }
})

it('refuses settings that do not exist', async () => {
  await expect(startNode({ ...SETTINGS, colour: 'red' })).rejects.toMatchObject({ code: 'invalid_argument' })
})
