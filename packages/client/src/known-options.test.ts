/** Misspelt options, wherever they are given. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { connect } from './connect.js'
import type { ConnectOptions } from './api.js'

const PLACE = { static: { orders: [{ host: 'h', port: 1 }] }, warmup: false, snapshotDir: false } as const

describe('an option that does not exist', () => {
  it.each([
    ['registry', { ...PLACE, registry: 'http://r' }],
    ['clusters.east.registry', { clusters: { east: { registry: 'http://r' } } }],
    ['address.hostname', { ...PLACE, address: { hostname: 'h' } }],
    ['times.closeMS', { ...PLACE, times: { closeMS: 1 } }],
    ['times.closeMs', { ...PLACE, times: { closeMs: '1' } }],
    ['static.orders.wieght', { ...PLACE, static: { orders: [{ host: 'h', port: 1, wieght: 1 }] } }],
  ])('is refused as %s', async (field, options) => {
    await expect(connect(options as ConnectOptions)).rejects.toMatchObject({
      code: 'invalid_argument',
      field,
    })
  })

  it('is refused by register and service, which name those there are', async () => {
    const rollcall = await connect(PLACE)
    const misspelt = { service: 'orders', host: 'h', port: 1, metaData: {} }
    await expect(rollcall.register(misspelt)).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'metaData',
      message: expect.stringContaining('metadata') as string,
    })
    expect(() => rollcall.service('orders', { balancers: 'hash' } as object)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'balancers' }) as Error,
    )
    await rollcall.close()
  })

  it('is refused by ready, call and fetch, which let go of the body', async () => {
    const rollcall = await connect(PLACE)
    const orders = rollcall.service('orders')
    const misspelt = { timeout: 5 } as object
    const refusal = { code: 'invalid_argument', field: 'timeout' }
    const body = Readable.from(['x'])
    await expect(orders.ready(misspelt)).rejects.toMatchObject(refusal)
    await expect(orders.call(() => 1, misspelt)).rejects.toMatchObject(refusal)
    await expect(orders.fetch('/', { method: 'POST', body, ...misspelt })).rejects.toMatchObject(refusal)
    expect(body.destroyed).toBe(true)
    await rollcall.close()
  })

  it('of the standard means nothing between services, and is no mistake', async () => {
    const rollcall = await connect(PLACE)
    const standard = { cache: 'no-store', redirect: 'manual', duplex: 'half', attempts: 0 } as object
    // Refused for the one that is Rollcall's own.
    await expect(rollcall.service('orders').fetch('/', standard)).rejects.toMatchObject({ field: 'attempts' })
    await rollcall.close()
  })

  it.each([{ timeoutMs: Number.NaN }, { timeoutMs: -1 }, { signal: {} as AbortSignal }])(
    'is as bad as a value that cannot be meant, such as %o of ready',
    async (options) => {
      const rollcall = await connect(PLACE)
      await expect(rollcall.service('orders').ready(options)).rejects.toMatchObject({
        code: 'invalid_argument',
      })
      await rollcall.close()
    },
  )

  it('is no trouble of options that are none', async () => {
    await expect(connect('http://r' as unknown as object)).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'connect',
    })
  })
})
