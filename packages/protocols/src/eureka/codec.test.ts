/** What clients say comes back as it was, in both forms; what is none of it is refused, and bounded while it is read. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedFormat, decodeInstance, encodeInstance, formatOf, FORMATS } from './codec.js'
import { readDocument, writeDocument } from './document.js'
import type { Said, Shown } from './messages.js'
import { STATUSES } from './statuses.js'
import { escapeXmlName, readXmlName } from './xml-names.js'
import { escapeText } from './xml.js'

/** Texts that both forms can have: XML knows no other controls, and reads a line break in one way. */
const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((each) => each.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ''))
const said = fc.oneof(text, fc.constantFrom('<a & "b">', ']]>', 'a\tb\nc', '&amp;', ' x '))
const name = fc.oneof(text, fc.constantFrom('foo_bar', 'a$b', '1', 'a:b', '_.0041', 'é', '中 文', '__', '-x'))
const pairs = fc
  .dictionary(name, said, { maxKeys: 4 })
  .map((all) =>
    Object.fromEntries(
      Object.entries(all).filter(([key]) => key !== '' && key !== '__proto__' && key !== 'class'),
    ),
  )
const member = fc.record({ number: fc.nat(65_535), enabled: fc.boolean() })
const time = fc.integer({ min: 1, max: 4_000_000_000_000 })

const shown: fc.Arbitrary<Shown> = fc.record({
  instanceId: said,
  app: said,
  hostName: said,
  ipAddr: said,
  status: fc.constantFrom(...STATUSES),
  overriddenStatus: fc.constantFrom(...STATUSES),
  port: member,
  securePort: member,
  countryId: fc.nat(9),
  dataCenter: fc.record({ className: said, name: fc.constantFrom('MyOwn', 'Netflix', 'Amazon', '') }),
  renewalSecs: fc.integer({ min: 1, max: 90 }),
  durationSecs: fc.integer({ min: 1, max: 900 }),
  registeredAt: time,
  renewedAt: time,
  evictedAt: fc.constant(0),
  upAt: time,
  metadata: pairs,
  texts: fc.dictionary(fc.constantFrom('homePageUrl', 'vipAddress', 'asgName', 'secureHealthCheckUrl'), said),
  isCoordinating: fc.boolean(),
  lastUpdated: time,
  lastDirty: time,
  action: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'),
})

function withoutServer({ action: _action, renewedAt: _renewed, evictedAt: _evicted, ...rest }: Shown): Said {
  return rest
}

describe('an instance', () => {
  it.each(FORMATS)('comes back from %s as it was', (format) => {
    fc.assert(
      fc.property(shown, (each) => {
        const read = decodeInstance(Buffer.from(encodeInstance(each, format)), format)
        expect(read).toEqual(JSON.parse(JSON.stringify(withoutServer(each))))
      }),
      { numRuns: 500 },
    )
  })

  it('comes back from the document that is kept of it', () => {
    fc.assert(
      fc.property(shown, (each) => {
        const { instanceId: _id, app: _app, ...kept } = withoutServer(each)
        const content = { foreign: writeDocument({ ...kept }), metadata: each.metadata }
        expect(readDocument({ content: content as never })).toEqual(JSON.parse(JSON.stringify(kept)))
      }),
    )
  })

  it('of another protocol, or with a document that is none, has none', () => {
    for (const foreign of [
      undefined,
      { protocol: 'consul', document: '{}' },
      { protocol: 'eureka', document: '[' },
      { protocol: 'eureka', document: '[]' },
      { protocol: 'eureka', document: '{"port":{"$":99999}}' },
    ])
      expect(readDocument({ content: { foreign, metadata: {} } as never })).toBeUndefined()
  })
})

it('names of metadata are those of XStream, and come back', () => {
  expect(['foo_bar', 'c$d', 'a b', '1', 'a:b', 'management.port', ''].map(escapeXmlName)).toEqual([
    'foo__bar',
    'c_-d',
    'a_.0020b',
    '_.0031',
    'a_.003ab',
    'management.port',
    '',
  ])
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (each) => {
      expect(readXmlName(escapeXmlName(each))).toBe(each)
      expect(escapeXmlName(each)).toMatch(/^[A-Za-zÀ-ÖØ-öø-ÿ_][A-Za-z0-9À-ÖØ-öø-ÿ._-]*$|^$/u)
    }),
  )
})

it('has only members that the mapper of Spring knows, whatever was said', () => {
  const known = new Set(
    `instanceId app appGroupName ipAddr sid port securePort homePageUrl statusPageUrl healthCheckUrl secureHealthCheckUrl vipAddress
    secureVipAddress countryId dataCenterInfo hostName status overriddenStatus leaseInfo isCoordinatingDiscoveryServer metadata
    lastUpdatedTimestamp lastDirtyTimestamp actionType asgName`.split(/\s+/),
  )
  const nested = new Set(['port', 'securePort', 'dataCenterInfo', 'leaseInfo', 'metadata'])
  fc.assert(
    fc.property(shown, (each) => {
      const { instance } = JSON.parse(encodeInstance(each, 'json')) as { instance: Record<string, unknown> }
      expect(Object.keys(instance).filter((key) => !known.has(key))).toEqual([])
      const objects = Object.keys(instance).filter((key) => typeof instance[key] === 'object')
      expect(objects.filter((key) => !nested.has(key))).toEqual([])
    }),
  )
})

it('a name that no element can have is left out of XML', () => {
  const amazon = { className: 'c', name: 'Amazon', metadata: { '': 'x', 'instance-id': 'i' } }
  const [first] = fc.sample(shown, 1) as [Shown]
  const xml = encodeInstance({ ...first, dataCenter: amazon, metadata: { '': 'y' } }, 'xml')
  expect(xml).not.toContain('<>')
  expect(decodeInstance(Buffer.from(xml), 'xml')).toMatchObject({
    dataCenter: { metadata: { 'instance-id': 'i' } },
  })
})

it('what XML cannot have costs its reader nothing else', () => {
  expect(escapeText('a\0b\u0001\ufffe\ud800c\r\n<&')).toBe('a�b���c&#13;\n&lt;&amp;')
})

describe('what is refused', () => {
  const xml =
    (body: string): (() => unknown) =>
    () =>
      decodeInstance(Buffer.from(body), 'xml')
  const json =
    (body: string): (() => unknown) =>
    () =>
      decodeInstance(Buffer.from(body), 'json')
  const malformed: unknown = expect.objectContaining({ code: 'malformed' })

  it.each([
    '',
    '   ',
    '<',
    '<instance>',
    '<instances/>',
    '<instance></other>',
    'text',
    '<instance>&bomb;</instance>',
    '<!DOCTYPE instance [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><instance>&b;</instance>',
    '<!DOCTYPE instance SYSTEM "file:///etc/passwd"><instance/>',
    `<instance>${'<a>'.repeat(1_000)}`,
    `<instance><metadata>${'<a/>'.repeat(3_000)}</metadata></instance>`,
    '<instance><metadata><a><b>1</b></a></metadata></instance>',
    '<instance><hostName><b>1</b></hostName></instance>',
    '<instance><port enabled="true">x</port></instance>',
    '<instance><port>70000</port></instance>',
  ])('as XML: %s', (body) => {
    expect(xml(body)).toThrow(malformed)
  })

  it.each([
    '',
    '[]',
    '{}',
    'null',
    '1',
    '{"instance":[]}',
    '{"instance":1}',
    '{"instance":{"port":8080}}',
    '{"instance":{"metadata":{"a":{"b":1}}}}',
    '{"instance":{"hostName":{}}}',
    '{"instance":{"port":{"$":"x"}}}',
    '{"instance":{"port":{"$":-1}}}',
    '{"instance":{"leaseInfo":{"durationInSecs":1e99}}}',
    // Clients of Java read these as `int` and as an enumeration: one that is none would cost them the whole list.
    '{"instance":{"leaseInfo":{"durationInSecs":2147483648}}}',
    '{"instance":{"leaseInfo":{"renewalIntervalInSecs":-2147483649}}}',
    '{"instance":{"countryId":3000000000}}',
    '{"instance":{"dataCenterInfo":{"name":"Private"}}}',
    `{"instance":${'['.repeat(100)}`,
  ])('as JSON: %s', (body) => {
    expect(json(body)).toThrow(malformed)
  })

  it('in either form, whatever the bytes are: never anything but malformed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(...FORMATS),
        fc.constantFrom('', '<instance>', '{"instance":{'),
        (noise, format, begin) => {
          const bytes = Buffer.concat([Buffer.from(begin), noise])
          let code = 'read'
          try {
            decodeInstance(bytes, format)
          } catch (error) {
            code = (error as { readonly code: string }).code
          }
          expect(['read', 'malformed']).toContain(code)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

it.each([
  [undefined, 'xml'],
  ['', 'xml'],
  ['*/*', 'xml'],
  ['application/xml', 'xml'],
  ['application/json', 'json'],
  ['application/json, application/*+json', 'json'],
  ['application/json;q=0.1, application/xml', 'xml'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'xml'],
  ['text/html', undefined],
  ['application/json;q=0', undefined],
])('Accept %s: %s', (accept, format) => {
  expect(acceptedFormat(accept)).toBe(format)
})

it.each([
  ['application/json', 'json'],
  ['Application/JSON;charset=UTF-8', 'json'],
  ['application/vnd.x+json', 'json'],
  ['text/xml', 'xml'],
  ['application/xml; charset=utf-8', 'xml'],
  ['text/plain', undefined],
  ['multipart/form-data', undefined],
  [undefined, undefined],
])('Content-Type %s: %s', (type, format) => {
  expect(formatOf(type)).toBe(format)
})
