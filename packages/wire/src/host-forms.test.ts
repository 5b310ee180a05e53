/** The patterns of the document and the readers of addresses agree. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAllowEntry, isDnsName, isHost } from './address.js'
import { ALLOW_FORM, DNS_FORM, HOST_FORM } from './host-forms.js'
import type { TextForm } from './limits.js'

const allows = ({ pattern, not }: TextForm, text: string): boolean =>
  text.length >= 1 &&
  text.length <= 253 &&
  new RegExp(pattern).test(text) &&
  !new RegExp(not.pattern).test(text)

const number = fc.oneof(
  fc.constantFrom(
    '0',
    '9',
    '10',
    '99',
    '100',
    '199',
    '200',
    '249',
    '250',
    '255',
    '256',
    '300',
    '01',
    '00',
    '',
  ),
  fc.nat(300).map(String),
)
const group = fc.oneof(
  fc.constantFrom('0', 'ffff', 'FFFF', '12345', 'g', ''),
  fc.nat(0xffff).map((n) => n.toString(16)),
)
const label = fc.oneof(
  fc.constantFrom(
    'a',
    'a-b',
    '-a',
    'a-',
    '1',
    '1-2',
    '1-',
    '1_',
    '_',
    '12a',
    'a'.repeat(63),
    'a'.repeat(64),
    '1'.repeat(63),
  ),
  fc.stringMatching(/^[a-z0-9_-]{0,5}$/),
)
const ipv4 = fc.array(number, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'))
const ipv6 = fc
  .tuple(fc.array(group, { maxLength: 9 }), fc.option(fc.nat(9)), fc.option(ipv4))
  .map(([groups, gap, last]) => {
    const all = last === null ? groups : [...groups, last]
    return gap === null ? all.join(':') : `${all.slice(0, gap).join(':')}::${all.slice(gap).join(':')}`
  })
const dns = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '.', '..'))
  .map(([labels, end]) => labels.join('.') + end)
const host = fc.oneof(ipv4, ipv6, dns, fc.string({ maxLength: 6 }))
const RUNS = { numRuns: 3_000 }

describe('the patterns of hosts', () => {
  it('allow what is read as a host, and nothing else', () => {
    fc.assert(
      fc.property(host, (text) => {
        expect([text, allows(HOST_FORM, text)]).toEqual([text, isHost(text)])
        expect([text, allows(DNS_FORM, text)]).toEqual([text, isDnsName(text)])
      }),
      RUNS,
    )
  })

  it('allow what is read as an entry of an allow list', () => {
    const bits = fc.oneof(
      fc.constant(''),
      fc.nat(140).map((n) => `/${n}`),
      fc.constantFrom('/', '/08', '/032', '/0128', '/1e1', '/-1'),
    )
    fc.assert(
      fc.property(host, bits, (text, length) => {
        fc.pre(length === '' || !/^[0:]*:ffff:/i.test(text))
        const entry = text + length
        expect([entry, allows(ALLOW_FORM, entry)]).toEqual([entry, isAllowEntry(entry)])
      }),
      RUNS,
    )
  })

  it('agree at the bounds', () => {
    const name = `${'a'.repeat(63)}.`.repeat(3)
    const cases = [
      '',
      '255.255.255.255',
      '256.1.1.1',
      '1.2.3',
      '1.2.3.04',
      '::',
      '1::',
      '::1',
      '1:2:3:4:5:6:7:8',
      '1:2:3:4:5:6:7::',
    ]
    cases.push(
      '1:2:3:4:5:6:7:8:9',
      '::1:2:3:4:5:6:7:8',
      '1:2:3:4:5:6:1.2.3.4',
      '::1.2.3.4',
      '::ffff:1.2.3.4',
      '1::2::3',
      ':::',
      ':1',
    )
    cases.push(
      `${name}${'a'.repeat(61)}`,
      `${name}${'a'.repeat(62)}`,
      'localhost',
      'a.1',
      '1-1',
      '1-',
      'a..b',
      '.',
      'a\n',
      '[::1]',
    )
    for (const text of cases) expect([text, allows(HOST_FORM, text)]).toEqual([text, isHost(text)])
  })
})
