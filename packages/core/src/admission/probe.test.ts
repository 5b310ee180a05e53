/** Probes of registrations: what they may ask for. */
import { PROBE_LIMITS, type Probe } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptsStatus, checkProbe, PROBE_RULES, type ProbeRules, sameProbe } from './probe.js'

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'v']))

const ALLOWED: ProbeRules = { otherPorts: true, credentials: true }

describe('checkProbe', () => {
  it('asks the registered port a plain question, unless more is allowed', () => {
    const asks: readonly (readonly [field: string, probe: Probe])[] = [
      ['probe.port', { type: 'tcp', port: 81 }],
      ['probe.headers.Host', { type: 'http', headers: { Host: 'admin.example' } }],
      ['probe.headers.authorization', { type: 'http', headers: { authorization: 'Bearer x' } }],
      ['probe.headers.Proxy-Authorization', { type: 'http', headers: { 'Proxy-Authorization': 'x' } }],
      ['probe.headers.COOKIE', { type: 'http', headers: { COOKIE: 'a=b' } }],
    ]
    for (const [field, probe] of asks) {
      expect(checkProbe(probe, 80, PROBE_RULES)).toMatchObject({ code: 'invalid_argument', field })
      expect(checkProbe(probe, 80, ALLOWED)).toBeUndefined()
      const other: ProbeRules =
        field === 'probe.port' ? { ...PROBE_RULES, credentials: true } : { ...PROBE_RULES, otherPorts: true }
      expect(checkProbe(probe, 80, other)).toMatchObject({ field })
    }
    expect(
      checkProbe({ type: 'http', port: 80, headers: { 'X-Probe': '1' } }, 80, PROBE_RULES),
    ).toBeUndefined()
  })

  it.each<Probe>([
    { type: 'tcp' },
    { type: 'none', port: 1 },
    { type: 'http', port: 65_535, path: '/health?deep=1&x=%20', status: 204, tls: true },
    { type: 'http', status: '200-299,401,500-599', headers: { Host: 'orders.example', 'X-Probe': '' } },
    {
      type: 'http',
      tls: { insecure: true, serverName: 'orders.example' },
      headers: many(PROBE_LIMITS.headersMax),
    },
    { type: 'grpc', serviceName: 'shop.v1.Orders', tls: { insecure: false } },
  ])('accepts %j', (probe) => {
    expect(checkProbe(probe, 80, ALLOWED)).toBeUndefined()
  })

  it.each<[field: string, probe: Probe]>([
    ['probe.port', { type: 'tcp', port: 0 }],
    ['probe.port', { type: 'tcp', port: 80.5 }],
    ['probe.path', { type: 'tcp', path: '/' }],
    ['probe.path', { type: 'grpc', path: '/' }],
    ['probe.path', { type: 'http', path: 'health' }],
    ['probe.path', { type: 'http', path: '' }],
    ['probe.path', { type: 'http', path: '/a b' }],
    ['probe.path', { type: 'http', path: '/a\r\nX: y' }],
    ['probe.path', { type: 'http', path: '/ä' }],
    ['probe.path', { type: 'http', path: '/a#b' }],
    ['probe.path', { type: 'http', path: `/${'a'.repeat(PROBE_LIMITS.pathCharsMax)}` }],
    ['probe.status', { type: 'grpc', status: 200 }],
    ['probe.status', { type: 'http', status: 101 }],
    ['probe.status', { type: 'http', status: 600 }],
    ['probe.status', { type: 'http', status: 200.5 }],
    ['probe.status', { type: 'http', status: '' }],
    ['probe.status', { type: 'http', status: '2xx' }],
    ['probe.status', { type: 'http', status: '299-200' }],
    ['probe.status', { type: 'http', status: '200, 204' }],
    ['probe.status', { type: 'http', status: '200,'.repeat(70) + '200' }],
    ['probe.headers', { type: 'tcp', headers: {} }],
    ['probe.headers', { type: 'http', headers: many(PROBE_LIMITS.headersMax + 1) }],
    ['probe.headers', { type: 'http', headers: { '': 'x' } }],
    ['probe.headers', { type: 'http', headers: { 'a b': 'x' } }],
    ['probe.headers', { type: 'http', headers: { ['x'.repeat(129)]: 'x' } }],
    ['probe.headers.a', { type: 'http', headers: { a: 'x\r\ny' } }],
    ['probe.headers.a', { type: 'http', headers: { a: 'x'.repeat(1_025) } }],
    ['probe.headers.A', { type: 'http', headers: { a: 'x', A: 'y' } }],
    ['probe.headers.Content-Length', { type: 'http', headers: { 'Content-Length': '9' } }],
    ['probe.headers.transfer-encoding', { type: 'http', headers: { 'transfer-encoding': 'chunked' } }],
    [
      'probe.headers',
      {
        type: 'http',
        headers: { a: 'x'.repeat(1_024), b: 'x'.repeat(1_024), c: 'x'.repeat(1_024), d: 'x'.repeat(1_024) },
      },
    ],
    ['probe.serviceName', { type: 'http', serviceName: 'a' }],
    ['probe.serviceName', { type: 'grpc', serviceName: '' }],
    ['probe.serviceName', { type: 'grpc', serviceName: 'a b' }],
    ['probe.serviceName', { type: 'grpc', serviceName: 'a'.repeat(257) }],
    ['probe.tls', { type: 'tcp', tls: true }],
    ['probe.tls.serverName', { type: 'http', tls: { serverName: '10.0.0.5' } }],
    ['probe.tls.serverName', { type: 'http', tls: { serverName: 'a b' } }],
  ])('refuses %s of %j', (field, probe) => {
    expect(checkProbe(probe, 80, ALLOWED)).toMatchObject({ code: 'invalid_argument', field })
  })
})

describe('acceptsStatus', () => {
  it.each<[Probe['status'], number, boolean]>([
    [undefined, 200, true],
    [undefined, 299, true],
    [undefined, 301, false],
    [undefined, 503, false],
    [204, 204, true],
    [204, 200, false],
    ['200-299,401', 401, true],
    ['200-299,401', 250, true],
    ['200-299,401', 400, false],
  ])('%s: %i %s', (accepted, status, expected) => {
    expect(acceptsStatus(accepted, status)).toBe(expected)
  })
})

describe('sameProbe', () => {
  const optional = { requiredKeys: ['type'] as ['type'] }
  const probes: fc.Arbitrary<Probe> = fc.record(
    {
      type: fc.constantFrom('http' as const, 'grpc' as const),
      port: fc.integer({ min: 1, max: 2 }),
      path: fc.constantFrom('/', '/a'),
      status: fc.constantFrom<number | string>(200, '200-299'),
      headers: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('', 'x'), { noNullPrototype: true }),
      serviceName: fc.constantFrom('a', 'b'),
      tls: fc.oneof(
        fc.constant(true),
        fc.record({ insecure: fc.boolean(), serverName: fc.constantFrom('a', 'b') }, { requiredKeys: [] }),
      ),
    },
    optional,
  )

  it('sees any difference and no order', () => {
    const reversed = (value: object): object =>
      Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, field]) => [name, typeof field === 'object' ? reversed(field as object) : field]),
      )
    fc.assert(
      fc.property(probes, probes, (a, b) => {
        expect(sameProbe(a, reversed(a) as Probe)).toBe(true)
        const withoutEmpty = (probe: Probe): object => {
          const { headers = {}, tls, ...rest } = probe
          return { ...rest, headers, tls: tls === true ? {} : tls }
        }
        let equal = true
        try {
          expect(withoutEmpty(a)).toEqual(withoutEmpty(b))
        } catch {
          equal = false
        }
        expect(sameProbe(a, b)).toBe(equal)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes none for none', () => {
    expect(sameProbe(undefined, undefined)).toBe(true)
    expect(sameProbe(undefined, { type: 'tcp' })).toBe(false)
    expect(sameProbe({ type: 'http' }, { type: 'http', tls: false })).toBe(true)
  })
})
