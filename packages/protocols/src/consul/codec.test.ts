/** Bodies as real clients send them, in any case of keys; what is refused, in whose words; and bodies of nobody. */
import { readFileSync, readdirSync } from 'node:fs'
import { isRegistryError } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCheckRegistration, readService, readUpdate } from './codec.js'

const FIXTURES = new URL('fixtures/', import.meta.url)

function refusalOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (!isRegistryError(error)) throw error
    return `${error.httpStatus} ${error.message}`
  }
}

const WEB = { Name: 'web', Port: 80 }

describe('a registration', () => {
  it('needs a name and a port; the rest follows', () => {
    expect(readService(WEB, '10.0.0.9')).toEqual({
      id: 'web',
      name: 'web',
      tags: [],
      meta: {},
      address: '10.0.0.9',
      port: 80,
      checks: [],
    })
  })

  it('is the same in lower case, with underscores and with nulls', () => {
    const full = {
      ID: 'web-1',
      Name: 'web',
      Port: 80,
      Tags: ['a'],
      EnableTagOverride: true,
      TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 80 } },
      Check: { TTL: '20s', DeregisterCriticalServiceAfter: '90m' },
    }
    const lower = {
      id: 'web-1',
      name: 'web',
      port: 80,
      tags: ['a'],
      enable_tag_override: true,
      tagged_addresses: { lan: { address: '10.0.0.1', port: 80 } },
      check: { ttl: '20s', deregister_critical_service_after: '90m', http: null },
      checks: null,
      meta: null,
      weights: null,
    }
    expect(readService(lower, '10.0.0.9')).toEqual(readService(full, '10.0.0.9'))
  })

  it.each(readdirSync(FIXTURES).filter((name) => name.startsWith('register-')))('%s is taken', (name) => {
    const { body, definition } = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as {
      body: unknown
      definition: unknown
    }
    expect(readService(body, '10.0.0.9')).toEqual(definition)
  })

  it('names its checks as clients expect', () => {
    const ids = (more: object): readonly string[] =>
      readService({ ...WEB, ID: 'w', ...more }, '').checks.map(({ id }) => id)
    expect(ids({ Check: { TTL: '1s' } })).toEqual(['service:w'])
    expect(ids({ Check: null, Checks: [{ TTL: '1s' }] })).toEqual(['service:w'])
    expect(ids({ Check: { TTL: '1s' }, Checks: [{ TTL: '1s' }] })).toEqual(['service:w:1', 'service:w:2'])
    expect(
      ids({
        Checks: [
          { CheckID: 'own', TTL: '1s' },
          { TCP: 'a:1', Interval: '1s' },
        ],
      }),
    ).toEqual(['own', 'service:w:2'])
    // Spring sends a check of nulls where it wants none.
    expect(ids({ Check: { HTTP: null, TTL: null, Header: {}, Interval: '' } })).toEqual([])
  })

  it('keeps weights that were given, and only those', () => {
    const weights = (value: unknown): unknown => readService({ ...WEB, Weights: value }, '').weights
    expect(weights({ Passing: 3, Warning: 1 })).toEqual({ Passing: 3, Warning: 1 })
    expect([weights(undefined), weights(null), weights({ Passing: 0, Warning: 0 })]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each<[object, string]>([
    [{}, '400 Missing service name'],
    [{ Name: '', Port: 1 }, '400 Missing service name'],
    [{ Name: 'a' }, '400 Invalid service: Rollcall needs a Port, from 1 to 65535'],
    [{ Name: 'a', Port: 65_536 }, '400 Invalid service port'],
    [{ Name: 'a', Port: 1, Address: '0.0.0.0' }, '400 Invalid service address'],
    [{ Name: 'a', Port: 1, Weights: { Passing: 0, Warning: 1 } }, '400 Invalid Weights: '],
    [{ Name: 'a', Port: 1, Weights: { Passing: 70_000 } }, '400 Invalid Weights: '],
    [{ Name: 'a', Port: 1, Meta: { 'a b': '' } }, '400 Invalid Service Meta: '],
    [{ Name: 'a', Port: 1, Meta: { 'consul-x': '' } }, '400 Invalid Service Meta: '],
    [{ Name: 'a', Port: 1, Meta: { a: 'x'.repeat(513) } }, '400 Invalid Service Meta: '],
    [{ Name: 'a', Port: 1, Check: { TTL: '1s', Interval: '1s' } }, '400 Invalid check: Interval and TTL'],
    [{ Name: 'a', Port: 1, Check: { HTTP: 'http://a' } }, '400 Invalid check: Interval must be > 0'],
    [{ Name: 'a', Port: 1, Check: { Status: 'ok', TTL: '1s' } }, "400 Status for checks must 'passing'"],
    [{ Name: 'a', Port: 1, Check: { Interval: '1s' } }, '400 Invalid check: TTL must be > 0'],
    [
      { Name: 'a', Port: 1, Check: { Args: ['ls'], Interval: '1s' } },
      '400 Invalid check: scripts are not run',
    ],
    [{ Name: 'a', Port: 1, Check: { UDP: 'a:1', Interval: '1s' } }, '400 Invalid check: UDP'],
    [
      { Name: 'a', Port: 1, Check: { HTTP: 'http://a', Method: 'POST', Interval: '1s' } },
      '400 Invalid check: ',
    ],
    [{ Name: 'a', Port: 1, Check: { TTL: 'soon' } }, '400 Request decode failed: ttl must be a duration'],
    [
      {
        Name: 'a',
        Port: 1,
        Checks: [
          { CheckID: 'x', TTL: '1s' },
          { CheckID: 'x', TTL: '1s' },
        ],
      },
      '400 Invalid check: x is there twice',
    ],
    [{ Name: 'a', Port: 1, Kind: 'connect-proxy' }, '400 Connect is not supported'],
    [{ Name: 'a', Port: 1, Connect: { SidecarService: {} } }, '400 Connect is not supported'],
    [{ Name: 1, Port: 1 }, '400 Request decode failed: name must be a string'],
    [{ Name: 'a', Port: 'x' }, '400 Request decode failed: port must be an integer'],
    [[], '400 Request decode failed: the body must be an object'],
  ])('%j is refused', (body, words) => {
    expect(refusalOf(() => readService(body, '10.0.0.9'))?.startsWith(words)).toBe(true)
  })
})

describe('a check by itself', () => {
  it('is named by its name, and is of a service', () => {
    expect(readCheckRegistration({ Name: 'own', TTL: '20s', ServiceID: 'web-1' })).toMatchObject({
      serviceId: 'web-1',
      check: { id: 'own', type: 'ttl', ttlMs: 20_000, status: 'critical' },
    })
    expect(refusalOf(() => readCheckRegistration({ TTL: '1s' }))).toBe('400 Missing check name')
    expect(refusalOf(() => readCheckRegistration({ Name: 'a', TTL: '1s' }))).toMatch(
      /^400 Invalid check: .*ServiceID/,
    )
  })

  it('is updated by a status of the three', () => {
    expect(readUpdate({ status: 'passing', output: 'fine' })).toEqual({ status: 'passing', output: 'fine' })
    expect(refusalOf(() => readUpdate({ Status: 'up' }))).toBe("400 Invalid check status: 'up'")
  })
})

describe('any JSON', () => {
  it('is a registration, or is refused in words', () => {
    const keys = fc.constantFrom(
      'Name',
      'ID',
      'Port',
      'Tags',
      'Meta',
      'Check',
      'Checks',
      'Weights',
      'TTL',
      'HTTP',
      'Interval',
      'Header',
      'Connect',
      '__proto__',
      'constructor',
      'TaggedAddresses',
      'x',
    )
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, 0, 80, -1, 1e300, 'a', '', '10s', 'http://a/', '\ud800'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
      ),
    })).value
    fc.assert(
      fc.property(values, (body) => {
        for (const read of [
          () => readService(body, '10.0.0.9'),
          () => readCheckRegistration(body),
          () => readUpdate(body),
        ])
          expect(refusalOf(read) ?? '400').toMatch(/^400/)
      }),
      { numRuns: 2_000 },
    )
  })
})
