/** What other registries answer as instances, and back: nothing a stranger says breaks a bridge. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEntries, readServiceNames, writeDefinition } from './consul-mapping.js'
import { readApplications, writeInstance } from './eureka-mapping.js'
import { isObject } from './json.js'
import { mirrorOf } from './mark.js'
import type { SeenInstance } from './records.js'

const SEEN: SeenInstance = {
  id: 'a',
  service: 'orders',
  group: 'blue',
  host: '10.0.0.1',
  port: 8_443,
  protocol: 'https',
  weight: 7,
  zone: 'eu',
  metadata: { v: '1' },
  standing: 'up',
}
const MIRROR = mirrorOf(SEEN, 'rollcall', 'b')

const listOf = (...instance: readonly unknown[]): unknown => ({
  applications: { application: [{ instance }] },
})
const EUREKA = {
  instanceId: 'h:orders:1',
  app: 'ORDERS',
  hostName: 'h.example',
  ipAddr: '10.0.0.1',
  status: 'UP',
  port: { $: 80, '@enabled': 'true' },
}

describe('an instance of Eureka', () => {
  it('has the names of the adapter, and both its hosts', () => {
    const { instances, unreadable } = readApplications(
      listOf({ ...EUREKA, metadata: { zone: 'eu', weight: '3', n: 1, '@class': 'x' } }, { app: 'X' }, null),
      '',
    )
    expect(unreadable).toBe(2)
    expect(instances).toEqual([
      {
        id: 'h:orders:1',
        service: 'orders',
        host: 'h.example',
        aliases: ['10.0.0.1'],
        port: 80,
        protocol: 'http',
        zone: 'eu',
        weight: 3,
        metadata: { n: '1' },
        standing: 'up',
      },
    ])
  })

  it.each([
    [{ status: 'STARTING' }, { standing: 'starting' }],
    [{ status: 'OUT_OF_SERVICE' }, { standing: 'out' }],
    [{ status: 7 }, { standing: 'out' }],
    [{ app: 'A B' }, { service: '_.a_20b' }],
    [{ hostName: '0.0.0.0' }, { host: '10.0.0.1' }],
    [
      { port: { $: 80, '@enabled': 'false' }, securePort: { $: '443', '@enabled': true } },
      { port: 443, protocol: 'https' },
    ],
  ])('%j is %j', (more, expected) => {
    expect(readApplications(listOf({ ...EUREKA, ...more }), '').instances).toMatchObject([expected])
  })

  it('comes back as it was written, with its mark', () => {
    const { instance } = writeInstance(MIRROR, 5) as { readonly instance: object }
    const [back] = readApplications(listOf(instance), '').instances
    const { group: _, ...rest } = MIRROR
    expect(back).toEqual({ ...rest, aliases: [] })
  })
})

describe('an instance of Consul', () => {
  const entry = (service: object, checks: readonly object[] = []): unknown => [
    {
      Node: { Node: 'n', Address: '10.0.0.9' },
      Service: { ID: 'a', Service: 'web', Port: 80, ...service },
      Checks: checks,
    },
  ]

  it.each([
    [{}, [], { id: 'n/a', host: '10.0.0.9', standing: 'up' }],
    [
      { Address: '10.0.0.1', Weights: { Passing: 3 } },
      [{ Status: 'warning' }],
      { host: '10.0.0.1', weight: 3, standing: 'up' },
    ],
    [{}, [{ Status: 'critical', CheckID: 'service:a' }], { standing: 'lost' }],
    [{}, [{ Status: 'critical', CheckID: '_service_maintenance:a' }], { standing: 'out' }],
    [{ Tags: ['a', 1] }, [], { tags: ['a'] }],
    [{ Kind: 'connect-proxy' }, [], undefined],
    [{ Port: 0 }, [], undefined],
    [{ Service: '' }, [], undefined],
  ])('%j with %j is %j', (service, checks, expected) => {
    const [seen] = readEntries(entry(service, checks))
    if (expected === undefined) expect(seen).toBeUndefined()
    else expect(seen).toMatchObject(expected)
  })

  it('comes back as it was written, with its mark', () => {
    const { ID, Name, Address, Port, Tags, Meta, Weights } = writeDefinition(MIRROR)
    const [back] = readEntries([{ Service: { ID, Service: Name, Address, Port, Tags, Meta, Weights } }])
    const { group: _group, protocol: _protocol, ...rest } = MIRROR
    expect(back).toEqual({ ...rest, tags: ['blue'] })
  })

  it('keeps no metadata that Consul refuses', () => {
    const metadata = { 'consul-tags': 'a,b', 'a.b': '1', long: 'x'.repeat(513), fine: '1' }
    const { Meta, Tags } = writeDefinition(mirrorOf({ ...SEEN, metadata }, 'rollcall', 'b'))
    expect(isObject(Meta) && Object.keys(Meta).sort()).toEqual(['fine', 'rollcall-bridge', 'zone'])
    expect(Tags).toEqual(['blue', 'a', 'b'])
  })
})

describe('anything else', () => {
  it('is no list, or none that breaks', () => {
    expect(() => readApplications({}, 'words')).toThrow(/^words$/)
    expect(readServiceNames({ web: [], consul: [] })).toEqual(['web'])
    for (const document of [null, [], { web: 1 }, 'x']) expect(readServiceNames(document)).toBeUndefined()
    const keys = [
      'Node',
      'Service',
      'Checks',
      'ID',
      'Port',
      'Tags',
      'Meta',
      'instance',
      'app',
      'port',
      '$',
      'metadata',
      'hostName',
    ]
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 1, -1, '', 'x', true),
        fc.array(tie('tree')),
        fc.dictionary(fc.constantFrom(...keys), tie('tree')),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        readEntries([value, { Service: value }])
        readServiceNames(value)
        readApplications({ applications: { application: [value, { instance: value }] } }, '')
      }),
      { numRuns: 500 },
    )
  })
})
