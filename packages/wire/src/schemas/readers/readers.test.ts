/** Readers of requests: what they take, refuse, leave out and name. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRegistryError, type ErrorCode } from '../../errors.js'
import { readDeregister, readHeartbeat, readRegister } from './instances.js'
import { readHello, readSigns, readWatch } from './messages.js'
import { readServiceSettings } from './settings.js'

const good = { service: 'orders', host: '10.0.0.1', port: 80 }

function codeOf(action: () => unknown): [ErrorCode, string | undefined] {
  try {
    action()
  } catch (error) {
    if (isRegistryError(error)) return [error.code, error.field]
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('reading a batch of registrations', () => {
  it('refuses only the wrong items, each with the path of its first fault', () => {
    const batch = readRegister(
      {
        instances: [
          good,
          { ...good, port: '80' },
          { ...good, port: 1.5 },
          7,
          { service: 'orders', host: 'h' },
          { ...good, state: 'dead' },
          { ...good, metadata: { a: 1 } },
          { ...good, probe: { type: 'ping' } },
          { ...good, zone: 7 },
          { ...good, id: 'x', zone: null },
        ],
      },
      100,
    )
    expect(batch.items).toEqual([good, { ...good, id: 'x' }])
    expect(batch.positions).toEqual([0, 9])
    expect(batch.total).toBe(10)
    expect(batch.refused.map(({ index, error }) => [index, error.code, error.field, error.message])).toEqual([
      [1, 'invalid_argument', 'instances[1].port', 'port must be an integer'],
      [2, 'invalid_argument', 'instances[2].port', 'port must be an integer'],
      [3, 'invalid_argument', 'instances[3]', 'the value must be an object'],
      [4, 'invalid_argument', 'instances[4].port', 'port is missing'],
      [5, 'invalid_argument', 'instances[5].state', 'state must be one of starting, up, draining'],
      [6, 'invalid_argument', 'instances[6].metadata.a', 'metadata.a must be a string'],
      [7, 'invalid_argument', 'instances[7].probe.type', 'probe.type must be one of tcp, http, grpc, none'],
      [8, 'invalid_argument', 'instances[8].zone', 'zone must be a string'],
    ])
  })

  it('finds the fault in a field of several shapes', () => {
    const faults = [
      { status: true },
      { status: 1.5 },
      { tls: 'yes' },
      { tls: { insecure: 1 } },
      { headers: { accept: 1 } },
      { headers: JSON.parse('{"__proto__":"x"}') },
    ].map((fields) => ({ ...good, probe: { type: 'http', ...fields } }))
    const fine = [{ status: 204 }, { status: '200-299' }, { tls: true }, { tls: { serverName: 'a' } }].map(
      (fields) => ({ ...good, probe: { type: 'http', ...fields } }),
    )
    const batch = readRegister({ instances: [...faults, ...fine] }, 100)
    expect(batch.items).toEqual(fine)
    expect(batch.refused.map(({ error }) => error.message)).toEqual([
      'probe.status must be a string or an integer',
      'probe.status must be a string or an integer',
      'probe.tls must be a boolean or an object',
      'probe.tls.insecure must be a boolean',
      'probe.headers.accept must be a string',
      'probe.headers.__proto__ is not allowed as a key',
    ])
    expect(batch.refused[3]?.error.field).toBe('instances[3].probe.tls.insecure')
    expect(batch.refused[5]?.error.field).toBe('instances[5].probe.headers.__proto__')
  })

  it('lists unknown fields of a field of several shapes', () => {
    const probes = [
      { type: 'http', tls: { insecure: true, sni: 'a' } },
      { type: 'http', tls: true },
    ]
    const batch = readRegister({ instances: probes.map((probe) => ({ ...good, probe })) }, 10)
    expect(batch.refused).toEqual([])
    expect(batch.warnings).toEqual(['instances[].probe.tls.sni'])
    expect(batch.items[0]?.probe).toEqual({ type: 'http', tls: { insecure: true } })
  })

  it('does not place items when none was refused', () => {
    expect(readRegister({ namespace: 'shop', instances: [good, good] }, 2)).toEqual({
      namespace: 'shop',
      items: [good, good],
      positions: undefined,
      refused: [],
      total: 2,
      warnings: undefined,
    })
  })

  it('lists unknown fields once per shape and keeps the items', () => {
    const batch = readRegister(
      {
        colour: 1,
        instances: [
          { ...good, wieght: 1, probe: { type: 'tcp', prot: 1 } },
          { ...good, wieght: 2 },
        ],
      },
      10,
    )
    expect(batch.warnings).toEqual(['colour', 'instances[].probe.prot', 'instances[].wieght'])
    expect(batch.items).toEqual([{ ...good, probe: { type: 'tcp' } }, good])
  })

  it('bounds warnings in number and length', () => {
    const item: Record<string, unknown> = { ...good }
    for (let index = 0; index < 500; index++) item[`${index}${'x'.repeat(1_000)}`] = 1
    const { warnings } = readRegister({ instances: [item] }, 10)
    expect(warnings).toHaveLength(20)
    expect(Math.max(...(warnings ?? []).map((each) => each.length))).toBeLessThan(100)
  })

  it('refuses a prototype as metadata key and never pollutes one', () => {
    const body: unknown = JSON.parse(
      '{"instances":[{"service":"s","host":"h","port":1,"metadata":{"__proto__":"x"}},' +
        '{"service":"s","host":"h","port":1,"__proto__":{"zone":"z"},"metadata":{"constructor":"ok"}}]}',
    )
    const batch = readRegister(body, 10)
    expect(batch.refused.map(({ error }) => error.field)).toEqual(['instances[0].metadata.__proto__'])
    expect(batch.items[0]?.zone).toBeUndefined()
    expect(batch.items[0]?.metadata).toEqual({ constructor: 'ok' })
    expect(batch.warnings).toEqual(['instances[].__proto__'])
    expect(({} as { zone?: string }).zone).toBeUndefined()
  })

  it('judges the request as a whole before its items', () => {
    expect(codeOf(() => readRegister([], 1))).toEqual(['malformed', undefined])
    expect(codeOf(() => readRegister('x', 1))).toEqual(['malformed', undefined])
    expect(codeOf(() => readRegister(null, 1))).toEqual(['malformed', undefined])
    expect(codeOf(() => readRegister({}, 1))).toEqual(['invalid_argument', 'instances'])
    expect(codeOf(() => readRegister({ instances: {} }, 1))).toEqual(['invalid_argument', 'instances'])
    expect(codeOf(() => readRegister({ namespace: 1, instances: [] }, 1))).toEqual([
      'invalid_argument',
      'namespace',
    ])
    expect(codeOf(() => readRegister({ instances: [good, good] }, 1))).toEqual([
      'batch_too_large',
      'instances',
    ])
  })

  it('answers any JSON with a batch or a typed error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, wrapped) => {
        const body = wrapped ? { instances: [value, good] } : value
        try {
          const batch = readRegister(body, 100)
          expect(batch.items.length + batch.refused.length).toBe(batch.total)
        } catch (error) {
          expect(isRegistryError(error)).toBe(true)
        }
      }),
    )
  })
})

describe('reading other bodies', () => {
  it('takes beats item by item', () => {
    const batch = readHeartbeat(
      { instances: [{ service: 's', id: 'a', incarnation: 3 }, { service: 's' }] },
      10,
    )
    expect(batch.items).toEqual([{ service: 's', id: 'a', incarnation: 3 }])
    expect(batch.refused[0]?.error.field).toBe('instances[1].id')
  })

  it('tells a deregistration by name from one by host', () => {
    expect(readDeregister({ host: '10.0.0.5', namespace: '*', confirm: true, x: 1, by: 'ann' }, 10)).toEqual({
      kind: 'host',
      host: '10.0.0.5',
      namespace: '*',
      confirm: true,
      signature: { by: 'ann' },
      warnings: ['x'],
    })
    expect(readDeregister({ instances: [{ service: 's', id: 'a' }], why: 'dead' }, 10)).toMatchObject({
      kind: 'instances',
      signature: { why: 'dead' },
    })
    expect(codeOf(() => readDeregister({ host: 1 }, 10))).toEqual(['invalid_argument', 'host'])
    expect(codeOf(() => readDeregister({ host: 'h', instances: [] }, 10))).toEqual([
      'invalid_argument',
      'host',
    ])
    expect(codeOf(() => readDeregister({ host: 'h', confirm: 'yes' }, 10))).toEqual([
      'invalid_argument',
      'confirm',
    ])
    expect(codeOf(() => readDeregister({}, 10))).toEqual(['invalid_argument', 'instances'])
    expect(codeOf(() => readDeregister({ host: null }, 10))).toEqual(['invalid_argument', 'instances'])
    expect(readDeregister({ host: null, instances: [] }, 10).kind).toBe('instances')
    expect(readDeregister({ host: 'h', instances: null }, 10).kind).toBe('host')
  })

  it('refuses a list of views as a whole, naming the item', () => {
    expect(
      readSigns({ services: [{ service: 's', sign: '0123456789abcdef' }] }, 10).value.services,
    ).toHaveLength(1)
    expect(codeOf(() => readSigns({ services: [{ service: 's' }] }, 10))).toEqual([
      'invalid_argument',
      'services[0].sign',
    ])
    expect(codeOf(() => readWatch({ services: [{ service: 's' }, 's'] }, 10))).toEqual([
      'invalid_argument',
      'services[1]',
    ])
  })

  it('knows the envelope of stream messages', () => {
    const message = { type: 'watch', req: 1, services: [{ service: 's' }], colour: 'red' }
    expect(readWatch(message, 10).warnings).toEqual(['colour'])
    expect(readHello({ type: 'hello', req: 0, client: 'sdk', namespace: 'shop' })).toEqual({
      client: 'sdk',
      namespace: 'shop',
    })
  })

  it('reads declarations', () => {
    expect(readServiceSettings({ groups: ['core'], removalMs: 1_000, colour: 1 })).toEqual({
      value: { groups: ['core'], removalMs: 1_000 },
      warnings: ['colour'],
    })
    expect(codeOf(() => readServiceSettings({ groups: 'core' }))).toEqual(['invalid_argument', 'groups'])
  })
})
