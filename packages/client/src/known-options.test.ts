/** Misspelt options, wherever they are given. */
import { describe, expect, it } from 'vitest'
import { connect } from './connect.js'
import type { ConnectOptions } from './api.js'

const PLACE = { static: { orders: [{ host: 'h', port: 1 }] }, warmup: false, snapshotDir: false } as const

describe('an option that does not exist', () => {
  it.each([
    ['registry', { ...PLACE, registry: 'http://r' }],
    ['clusters.east.registry', { clusters: { east: { registry: 'http://r' } } }],
    ['address.hostname', { ...PLACE, address: { hostname: 'h' } }],
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

  it('is no trouble of options that are none', async () => {
    await expect(connect('http://r' as unknown as object)).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'connect',
    })
  })
})
