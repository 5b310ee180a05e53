/** Values of a wrong type, as JavaScript passes them: refused where they are given, with what they have to be. */
import { describe, expect, it } from 'vitest'
import { connect } from './connect.js'
import type { ConnectOptions, RegisterOptions } from './api.js'

const PLACE = { static: { orders: [{ host: 'h', port: 1 }] }, warmup: false, snapshotDir: false } as const

const PLACE_OF_CLUSTER = { static: PLACE.static } as const

describe('connect', () => {
  it.each([
    [{ registries: 'http://r:7400' }, 'registries', "registries must be a list of URLs, such as ['http://"],
    [
      { ...PLACE, static: { orders: { host: 'h', port: 1 } } },
      'static.orders',
      'must be a list of instances',
    ],
    [{ ...PLACE, static: [] }, 'static', 'a list of instances for each service; it is a list'],
    [{ clusters: { east: { static: { orders: 'h:1' } } } }, 'clusters.east.static.orders', 'the text "h:1"'],
    [{ clusters: [{}] }, 'clusters', 'an object with names of clusters; it is a list'],
    [{ ...PLACE, logger: { info() {}, debug() {} } }, 'logger', 'error, warn is not there'],
    [{ ...PLACE, logger: null }, 'logger', 'error, warn, info, debug is not there'],
    [{ ...PLACE, logger: true }, 'logger', 'or be false'],
    [{ ...PLACE, signal: {} }, 'signal', 'an AbortSignal'],
    [{ ...PLACE, signal: null }, 'signal', 'an AbortSignal; it is null'],
    [{ ...PLACE, snapshotDir: 5 }, 'snapshotDir', 'the name of a directory, or false; it is number 5'],
    [{ ...PLACE, snapshotDir: true }, 'snapshotDir', 'boolean true'],
    [{ ...PLACE, learnNodes: 'no' }, 'learnNodes', 'must be true or false; it is the text "no"'],
    [
      { clusters: { east: { ...PLACE_OF_CLUSTER, learnNodes: 0 } } },
      'clusters.east.learnNodes',
      'it is number 0',
    ],
    [
      { clusters: { east: PLACE_OF_CLUSTER }, learnNodes: false },
      'learnNodes',
      'belongs to each of the clusters',
    ],
    [{ ...PLACE, zone: 1 }, 'zone', 'a text; it is number 1'],
    [{ ...PLACE, observer: 'x' }, 'observer', 'an object'],
    [{ ...PLACE, address: { prefer: '10.0.0.0/8' } }, 'address.prefer', 'a list of CIDR blocks'],
  ])('refuses %o', async (options, field, message) => {
    await expect(connect(options as unknown as ConnectOptions)).rejects.toMatchObject({
      code: 'invalid_argument',
      field,
      message: expect.stringContaining(message) as string,
    })
  })
})

describe('register', () => {
  it.each([
    [{}, 'service', 'service and port are missing'],
    [{ port: 1 }, 'service', 'service is missing'],
    [{ service: 'orders', port: undefined }, 'port', 'port is missing'],
    [{ service: 'orders', port: null }, 'port', 'port is missing'],
    ['orders', 'register', 'the options of register are an object'],
    [{ service: 7, port: 1 }, 'service', 'service must be a text; it is number 7'],
    [{ service: 'orders', port: 1, id: 7 }, 'id', 'id must be a text; it is number 7'],
    [
      { service: 'orders', port: 1, metadata: { tier: 7 } },
      'metadata.tier',
      'must be a text; it is number 7',
    ],
    [{ service: 'orders', port: 1, metadata: 'tier=7' }, 'metadata', 'must be an object of texts'],
    [
      { service: 'orders', port: 1, state: 'UP' },
      'state',
      'one of starting, up, draining; it is the text "UP"',
    ],
    [{ service: 'orders', port: 1, liveness: 'tcp' }, 'liveness', 'one of lease, probe, static'],
    [{ service: 'orders', port: 1, leaseMs: '15s' }, 'leaseMs', 'a whole number of milliseconds'],
    [{ service: 'orders', port: 1, probe: 'tcp' }, 'probe', 'an object'],
  ])('refuses %o', async (options, field, message) => {
    const rollcall = await connect(PLACE)
    await expect(rollcall.register(options as unknown as RegisterOptions)).rejects.toMatchObject({
      code: 'invalid_argument',
      field,
      message: expect.stringContaining(message) as string,
    })
    await rollcall.close()
  })
})

describe('a change of a registration', () => {
  it('is refused where it names what there is not, or is of another type', async () => {
    const rollcall = await connect({ ...PLACE, times: { pendingMs: 0, closeMs: 10 } })
    const registration = await rollcall.register({ service: 'orders', host: '127.0.0.1', port: 1 })
    const refused = async (change: Promise<void>, field: string): Promise<void> =>
      expect(change).rejects.toMatchObject({ code: 'invalid_argument', field })
    await refused(registration.update({ metdata: {} } as object), 'metdata')
    await refused(registration.update({ metadata: { tier: 7 } } as object), 'metadata.tier')
    await refused(registration.update({ weight: '7' } as object), 'weight')
    await refused(registration.setState('UP' as 'up'), 'state')
    await rollcall.close()
  })
})
