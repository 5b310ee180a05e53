/** Definitions as registrations and back: nothing of a client's is lost, and nothing of ours is exceeded. */
import type { Offer } from '@rollcall/core'
import { ID_PATTERN, LIMITS, NAME_PATTERN } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readService } from './codec.js'
import type { CheckDefinition, ServiceDefinition } from './definitions.js'
import { intentOf, keyOf, readDocument, toCommand, toShown } from './mapping.js'
import { parseTarget } from './targets.js'

const WEB = { Name: 'web', ID: 'web-1', Address: '10.0.0.1', Port: 80 }

const define = (more: object = {}): ServiceDefinition => readService({ ...WEB, ...more }, '10.0.0.9')

function offerOf(definition: ServiceDefinition, more: Partial<Offer['instance']> = {}): Offer {
  const command = toCommand(definition)
  const { namespace, service, group, id, host, port, weight, metadata, intent, leaseMs, liveness, foreign } =
    command
  const digest = '0123456789abcdef'
  return {
    instance: {
      namespace,
      service,
      group,
      id,
      host,
      port,
      weight,
      metadata,
      digest,
      via: 'consul',
      state: intent,
      stateAgeMs: 0,
      incarnation: 1_700_000_000_000,
      ...more,
    },
    content: {
      intent,
      rev: 1,
      host,
      port,
      weight,
      metadata,
      leaseMs,
      liveness,
      named: false,
      digest,
      ...(foreign && { foreign }),
    },
  }
}

describe('a registration', () => {
  it('stands under the names of Consul where they are names of ours', () => {
    expect(toCommand(define({ Tags: ['a', 'b'], Meta: { v: '1', zone: 'eu-a' } }))).toMatchObject({
      namespace: 'default',
      service: 'web',
      group: 'default',
      id: 'web-1',
      host: '10.0.0.1',
      port: 80,
      weight: 100,
      zone: 'eu-a',
      metadata: { v: '1', zone: 'eu-a', 'consul-tags': 'a,b' },
      intent: 'up',
      liveness: 'static',
    })
  })

  it.each(['h#1/%', 'ä ö', 'a/b', '10.0.0.1:80-com.weibo.Service', '_.x', '..', 'x'.repeat(128)])(
    'is found again by any name and id: %s',
    (text) => {
      const definition = define({ ID: text, Name: text })
      const { service, id } = toCommand(definition)
      expect([NAME_PATTERN.test(service), ID_PATTERN.test(id)]).toEqual([true, true])
      expect(toShown(offerOf(definition))).toMatchObject({ id: text, name: text })
    },
  )

  it.each(['x'.repeat(129), 'ä'.repeat(50), 'x'.repeat(600)])(
    'is refused where a name is too long',
    (text) => {
      expect(() => keyOf({ name: text, id: 'a' })).toThrow(/^Invalid service name: too long/)
      expect(() => keyOf({ name: 'a', id: text.repeat(4) })).toThrow(/^Invalid service ID: too long/)
    },
  )

  it('has the weight that was given, of its status, or ours where none was', () => {
    const weight = (more: object): number => toCommand(define(more)).weight
    const Weights = { Passing: 3, Warning: 2 }
    expect(weight({})).toBe(100)
    expect(weight({ Weights })).toBe(3)
    expect(weight({ Weights, Check: { TTL: '9s', Status: 'warning' } })).toBe(2)
    expect(toShown(offerOf(define({}))).weights).toEqual({ Passing: 1, Warning: 1 })
    expect(toShown(offerOf(define({ Weights }))).weights).toEqual(Weights)
  })

  it('has a lease of twice its TTL, or of three intervals', () => {
    const lease = (more: object): unknown[] => {
      const { liveness, leaseMs, probe } = toCommand(define(more))
      return [liveness, leaseMs, probe]
    }
    expect(lease({ Check: { TTL: '30s' } })).toEqual(['lease', 60_000, undefined])
    expect(lease({ Check: { TTL: '1ms' } })).toEqual(['lease', 1_000, undefined])
    expect(lease({ Check: { HTTP: 'http://10.0.0.1:80/health?x=1', Interval: '10s' } })).toEqual([
      'probe',
      30_000,
      { type: 'http', path: '/health?x=1' },
    ])
    expect(lease({ Check: { TCP: '10.0.0.1:81', Interval: '1s' } })).toEqual([
      'probe',
      15_000,
      { type: 'tcp', port: 81 },
    ])
    // What is asked of another host proves nothing of this one to the core.
    expect(lease({ Check: { TCP: '10.0.0.2:80', Interval: '10s' } })).toEqual(['lease', 60_000, undefined])
  })

  it('keeps in metadata what fits there, and all of it in its document', () => {
    const Meta = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'x'.repeat(200)]))
    const definition = define({ Meta, Tags: ['URL_motan%3A%2F%2F'.repeat(20)] })
    const { metadata, foreign } = toCommand(definition)
    const bytes = Object.entries(metadata).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    expect(bytes).toBeLessThanOrEqual(LIMITS.metadataBytesMax)
    expect(Object.keys(metadata).length).toBeLessThanOrEqual(LIMITS.metadataKeysMax)
    expect(readDocument(foreign?.document ?? '')).toEqual(definition)
  })
})

describe('what a registration natively wants', () => {
  const check = (status: CheckDefinition['status'], fresh?: true): CheckDefinition => ({
    id: 'c',
    name: 'c',
    type: 'ttl',
    ttlMs: 1,
    status,
    ...(fresh && { fresh }),
  })

  it('follows the words on its checks', () => {
    expect(intentOf([])).toBe('up')
    expect(intentOf([check('passing'), check('warning')])).toBe('up')
    expect(intentOf([check('passing'), check('critical', true)])).toBe('starting')
    expect(intentOf([check('critical'), check('critical', true)])).toBe('draining')
  })
})

describe('an instance of another protocol', () => {
  const native = (more: Partial<Offer['instance']> = {}): ReturnType<typeof toShown> => {
    const { instance, content } = offerOf(define(), { metadata: { v: '2' }, ...more })
    const { foreign: _, ...rest } = content
    return toShown({ instance, content: rest })
  }

  it('is shown with an id that holds its service, and the check that its state makes', () => {
    expect(native()).toMatchObject({
      id: 'web:web-1',
      name: 'web',
      tags: [],
      meta: { v: '2' },
      weights: { Passing: 1, Warning: 1 },
      checks: [{ id: 'service:web:web-1', status: 'passing' }],
    })
    expect(native({ group: 'blue', zone: 'eu', weight: 7 })).toMatchObject({
      id: 'web:blue:web-1',
      tags: ['blue'],
      meta: { v: '2', zone: 'eu' },
      weights: { Passing: 7, Warning: 7 },
    })
  })

  it.each([
    ['up', 'passing'],
    ['suspect', 'warning'],
    ['starting', 'critical'],
    ['down', 'critical'],
    ['draining', 'critical'],
    ['disabled', 'critical'],
  ] as const)('that is %s is %s', (state, status) => {
    expect(native({ state }).checks[0]?.status).toBe(status)
  })

  it('that an operator took out is in maintenance, with the reason', () => {
    const offer = offerOf(define())
    const override = { value: { disable: true }, counter: 1, node: 'n', by: 'ann', why: 'upgrade' }
    expect(toShown({ ...offer, override }).checks).toMatchObject([
      {
        id: '_service_maintenance:web-1',
        name: 'Service Maintenance Mode',
        status: 'critical',
        notes: 'upgrade',
      },
    ])
  })
})

describe('a document', () => {
  it('of anything else is none', () => {
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"id":1}',
      '{"id":"a","name":"a","address":"a","port":1,"tags":[1],"meta":{},"checks":[]}',
    ])
      expect(readDocument(text)).toBeUndefined()
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => readDocument(text)).not.toThrow()
      }),
    )
  })
})

describe('a target', () => {
  it.each<[Parameters<typeof parseTarget>[0], unknown]>([
    [
      { type: 'http', target: 'https://a.example/x?y=1', insecure: true },
      { host: 'a.example', port: 443, probe: { type: 'http', path: '/x?y=1', tls: { insecure: true } } },
    ],
    [
      { type: 'http', target: 'http://[::1]:8080' },
      { host: '::1', port: 8080, probe: { type: 'http', path: '/' } },
    ],
    [
      { type: 'tcp', target: '[fd00::1]:81' },
      { host: 'fd00::1', port: 81, probe: { type: 'tcp' } },
    ],
    [
      { type: 'grpc', target: '10.0.0.1:9/shop.v1.Orders', tls: true },
      { host: '10.0.0.1', port: 9, probe: { type: 'grpc', serviceName: 'shop.v1.Orders', tls: true } },
    ],
    [{ type: 'http', target: 'http://user:pw@a/' }, undefined],
    [{ type: 'http', target: 'ftp://a/' }, undefined],
    [{ type: 'http', target: 'a:80' }, undefined],
    [{ type: 'tcp', target: 'a' }, undefined],
    [{ type: 'tcp', target: 'a:0' }, undefined],
    [{ type: 'tcp', target: 'a:70000' }, undefined],
    [{ type: 'tcp', target: 'a:80/x' }, undefined],
    [{ type: 'ttl' }, undefined],
  ])('%j', (check, target) => {
    expect(parseTarget(check)).toEqual(target)
  })
})
