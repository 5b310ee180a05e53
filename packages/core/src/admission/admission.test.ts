/** What a registration, a key and a declaration must look like. */
import type { NamespaceSettings, ServiceSettings } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { admit, type AdmissionMode, checkAllow, checkCommand, checkKey, checkSettings } from './admission.js'
import type { RegisterCommand } from '../commands.js'
import { command, keyOf } from '../simulated-node.fixture.js'

describe('a registration', () => {
  it.each<[string, Partial<RegisterCommand>]>([
    ['namespace', { namespace: '' }],
    ['namespace', { namespace: 'a/b' }],
    ['service', { service: 'a b' }],
    // No URL can name these: clients resolve them before they send.
    ...['.', '..', '...'].flatMap((dots): [string, Partial<RegisterCommand>][] =>
      (['namespace', 'service', 'group', 'id', 'zone', 'protocol'] as const).map((field) => [
        field,
        { [field]: dots },
      ]),
    ),
    ['service', { service: 'x'.repeat(129) }],
    ['group', { group: 'a:b' }],
    ['id', { id: '' }],
    ['id', { id: 'a/b' }],
    ['id', { id: 'x'.repeat(321) }],
    ['host', { host: '' }],
    ['host', { host: 'http://10.0.0.1' }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: 80.5 }],
    ['port', { port: Number.NaN }],
    ['weight', { weight: -1 }],
    ['weight', { weight: 65_536 }],
    ['weight', { weight: 1.5 }],
    ['protocol', { protocol: '' }],
    ['zone', { zone: 'a b' }],
    ['leaseMs', { leaseMs: 999 }],
    ['leaseMs', { leaseMs: 86_400_001 }],
    ['incarnation', { incarnation: -1 }],
    ['incarnation', { incarnation: 1.5 }],
    ['incarnation', { incarnation: Number.MAX_SAFE_INTEGER + 1 }],
    ['rev', { rev: -1 }],
    ['rev', { rev: 2 ** 31 + 1 }],
    ['probe.port', { probe: { type: 'tcp', port: 0 } }],
    ['probe.path', { probe: { type: 'http', path: 'health' } }],
    ['metadata', { metadata: { '': 'x' } }],
  ])('with a bad %s is refused by that field: %j', (field, overrides) => {
    expect(checkCommand(command(overrides))).toMatchObject({ code: 'invalid_argument', field })
  })

  it.each<[string, Partial<RegisterCommand>]>([
    ['least', { port: 1, weight: 0, leaseMs: 1_000, incarnation: 0, rev: 0 }],
    [
      'most',
      {
        port: 65_535,
        weight: 65_535,
        leaseMs: 86_400_000,
        incarnation: Number.MAX_SAFE_INTEGER,
        rev: 2 ** 31,
      },
    ],
    [
      'longest',
      { namespace: 'x'.repeat(128), service: 'x'.repeat(128), group: 'x'.repeat(128), id: 'x'.repeat(320) },
    ],
    ['IPv6', { id: '[::1]:3000', host: '::1' }],
    ['names', { host: 'web-1.example', zone: 'eu_1.a', protocol: 'h2' }],
    ['names with dots', { service: '..a', group: 'a.', id: '.-', zone: '._' }],
  ])('at its limits is fine: %s', (_, overrides) => {
    expect(checkCommand(command(overrides))).toBeUndefined()
  })

  it('counts metadata in bytes of UTF-8, keys and values together', () => {
    const withBytes = (value: string) => checkCommand(command({ metadata: { k: value } }))
    expect(withBytes('x'.repeat(8_191))).toBeUndefined()
    expect(withBytes('x'.repeat(8_192))).toMatchObject({ field: 'metadata' })
    expect(withBytes('é'.repeat(4_095))).toBeUndefined()
    expect(withBytes('é'.repeat(4_096))).toMatchObject({ field: 'metadata' })
    expect(withBytes('€'.repeat(2_730))).toBeUndefined()
    expect(withBytes('€'.repeat(2_731))).toMatchObject({ field: 'metadata' })
    expect(withBytes('😀'.repeat(2_047))).toBeUndefined()
    expect(withBytes('😀'.repeat(2_048))).toMatchObject({ field: 'metadata' })
  })

  it('has at most 64 keys of metadata', () => {
    const withKeys = (count: number) =>
      checkCommand(
        command({ metadata: Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, ''])) }),
      )
    expect(withKeys(64)).toBeUndefined()
    expect(withKeys(65)).toMatchObject({ field: 'metadata' })
  })

  it('obeys other limits where they are configured', () => {
    const limits = {
      metadataBytesMax: 1,
      metadataKeysMax: 1,
      leaseMsMin: 5_000,
      leaseMsMax: 6_000,
      weightMax: 10,
    }
    expect(checkCommand(command({ leaseMs: 4_999, weight: 1 }), limits)).toMatchObject({ field: 'leaseMs' })
    expect(checkCommand(command({ leaseMs: 5_000, weight: 11 }), limits)).toMatchObject({ field: 'weight' })
    expect(checkCommand(command({ leaseMs: 5_000, weight: 10, metadata: { ab: '' } }), limits)).toMatchObject(
      { field: 'metadata' },
    )
  })
})

describe('a key', () => {
  it('is four names', () => {
    expect(checkKey(keyOf('10.0.0.1:3000'))).toBeUndefined()
    expect(checkKey({ ...keyOf('a'), group: '' })).toMatchObject({ field: 'group' })
  })
})

describe('admission', () => {
  const inside: NamespaceSettings = { allow: ['10.0.0.0/8'] }
  const narrow: ServiceSettings = { groups: ['default'], allow: ['10.0.0.1'] }
  it.each<
    [
      AdmissionMode,
      NamespaceSettings | undefined,
      ServiceSettings | undefined,
      Partial<RegisterCommand>,
      string | undefined,
    ]
  >([
    ['open', undefined, undefined, {}, undefined],
    ['open', undefined, { groups: ['blue'] }, { group: 'green' }, undefined],
    ['open', inside, undefined, { host: '11.0.0.1' }, 'namespace_not_allowed'],
    ['open', inside, narrow, { host: '10.0.0.2' }, 'service_not_allowed'],
    ['open', inside, narrow, { host: '10.0.0.1' }, undefined],
    // In strict order: each error hides those that would follow.
    ['strict', inside, undefined, { host: '11.0.0.1', group: 'green' }, 'namespace_not_allowed'],
    ['strict', inside, undefined, { host: '10.0.0.2', group: 'green' }, 'service_not_declared'],
    ['strict', inside, narrow, { host: '10.0.0.2', group: 'green' }, 'group_not_declared'],
    ['strict', inside, narrow, { host: '10.0.0.2' }, 'service_not_allowed'],
    ['strict', inside, narrow, { host: '10.0.0.1' }, undefined],
    ['strict', undefined, {}, {}, undefined],
    ['strict', undefined, {}, { group: 'green' }, 'group_not_declared'],
    ['strict', { allow: [] }, {}, {}, 'namespace_not_allowed'],
  ])('%s, namespace %j, service %j, %j: %s', (mode, namespace, service, overrides, expected) => {
    expect(admit(command(overrides), { mode, namespace, service })?.code).toBe(expected)
  })
})

describe('a declaration', () => {
  it.each<[string, ServiceSettings]>([
    ['groups', { groups: ['a b'] }],
    ['groups', { groups: Array.from({ length: 1_001 }, (_, n) => `g${n}`) }],
    ['removalMs', { removalMs: 999 }],
    ['removalMs', { removalMs: 604_800_001 }],
    ['removalMs', { removalMs: 1_000.5 }],
    ['allow[1]', { allow: ['10.0.0.0/8', '10.0.0.0/40'] }],
    ['allow', { allow: Array.from({ length: 1_001 }, () => '10.0.0.1') }],
    ['metadata', { metadata: { k: 'x'.repeat(8_192) } }],
    ['breaker.share', { breaker: { share: 1.01 } }],
    ['breaker.share', { breaker: { share: -0.1 } }],
    ['breaker.share', { breaker: { share: Number.NaN } }],
  ])('with a bad %s is refused by that field', (field, settings) => {
    expect(checkSettings(settings)).toMatchObject({ code: 'invalid_argument', field })
  })

  it('at its limits is fine', () => {
    expect(
      checkSettings({
        groups: ['a'],
        allow: ['web.example', '::/0'],
        metadata: { k: 'v' },
        removalMs: 1_000,
      }),
    ).toBeUndefined()
    expect(checkSettings({})).toBeUndefined()
    expect(checkSettings({ breaker: { enabled: false, share: 0 } })).toBeUndefined()
    expect(checkSettings({ breaker: { share: 1 } })).toBeUndefined()
    expect(checkAllow({})).toBeUndefined()
  })
})
