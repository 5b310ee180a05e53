/** The filter language: what its expressions mean, beside the rules of go-bexpr, and what is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FilterError } from './expressions.js'
import { createFilter } from './filters.js'

const ITEM = {
  Node: { Node: 'rollcall', Meta: {} },
  Service: {
    ID: 'web-1',
    Service: 'web',
    Tags: ['a', 'v1'],
    Meta: { version: '1', 'a-b': 'x' },
    Port: 80,
    Weights: { Passing: 3, Warning: 1 },
    EnableTagOverride: false,
  },
  Checks: [
    { CheckID: 'service:web-1', Status: 'passing', ServiceTags: ['a'] },
    { CheckID: 'serfHealth', Status: 'critical', ServiceTags: [] },
  ],
}

const passes = (text: string, item: unknown = ITEM): boolean => createFilter(text, 'health')(item)

describe('a filter', () => {
  it.each<[string, boolean]>([
    ['Service.Meta.version == "1"', true],
    ['Service.Meta.version == 1', true],
    ['Service.Meta.version=="2"', false],
    ['Service.Meta["a-b"] == x', true],
    ['Service.Meta.absent == "1"', false],
    ['Service.Meta.absent != "1"', true],
    ['Service.Meta.absent is empty', true],
    ['Service.Meta.absent is not empty', false],
    ['"a" in Service.Tags', true],
    ['a in Service.Tags', true],
    ['b not in Service.Tags', true],
    ['Service.Tags contains v1', true],
    ['Service.Tags not contains v1', false],
    ['version in Service.Meta', true],
    ['Service.Tags is empty', false],
    ['Node.Meta is empty', true],
    ['Service.Port == 80 and Service.Weights.Passing == 3', true],
    ['Service.Port != 80', false],
    ['Service.EnableTagOverride == false', true],
    ['Service.Service matches "^w.b$"', true],
    ['Service.Service not matches "^x"', true],
    ['Service.ID == `web-1`', true],
    ['Checks.Status != "passing"', true],
    ['Checks.Status == warning', false],
    ['not Checks.Status == "critical"', false],
    ['not (Service.Port == 1 or Service.Port == 2)', true],
    ['Service.Port == 80 or Service.Port == 1 and Service.ID == "nothing"', true],
    ['(Service.Port == 80 or Service.Port == 1) and Service.ID == "nothing"', false],
    ['"eb" in Service.Service', true],
    ['', true],
  ])('%s is %s', (text, expected) => {
    expect(passes(text)).toBe(expected)
  })

  it('over an empty list is false, whatever is asked of its items', () => {
    expect(passes('Checks.Status != "passing"', { ...ITEM, Checks: [] })).toBe(false)
    expect(passes('Checks is empty', { ...ITEM, Checks: [] })).toBe(true)
  })

  it.each([
    'Service.Nope == 1',
    'Service.Nope == 1 and',
    'Service.Meta.a.b == 1',
    'Service == 1',
    'Service.Tags == a',
    'Service.Port matches "1"',
    'Service.Port is empty',
    'Service.Port == x',
    'Service.EnableTagOverride == maybe',
    'Service.ID == web-1',
    'Service.ID =',
    'Service.ID == "a',
    'Service.ID',
    'Service. ID == a',
    '(Service.ID == a',
    '"a" == "a"',
    'not',
    '==',
    'toString == a',
    '__proto__ is empty',
    'Service.Service matches "("',
    'Service.Service matches "(a+)+$"',
    'Service.Service matches "(a|a)*b"',
    'Service.Service matches "a*a*a*a*b"',
  ])('refuses %s', (text) => {
    expect(() => createFilter(text, 'health')).toThrow(FilterError)
  })

  it('is bounded in length, depth and terms', () => {
    const long = `Service.ID == "${'a'.repeat(5_000)}"`
    const deep = `${'('.repeat(40)}Service.ID == a${')'.repeat(40)}`
    const many = Array.from({ length: 200 }, () => 'Service.ID == a').join(' or ')
    for (const text of [long, deep, many]) expect(() => createFilter(text, 'health')).toThrow(FilterError)
  })

  it('reads own members only', () => {
    expect(passes('Service.Meta.constructor is empty')).toBe(true)
  })

  it('of any text is a filter or is refused in words', () => {
    const words = fc.constantFrom(
      'Service',
      '.',
      'ID',
      '==',
      '"a"',
      'and',
      'or',
      'not',
      '(',
      ')',
      ' ',
      '`',
      '\\',
      'in',
      '[',
      ']',
      'ä',
      '1',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(words).map((each) => each.join(' ')),
        ),
        (text) => {
          try {
            createFilter(text, 'health')(ITEM)
          } catch (error) {
            expect(error).toBeInstanceOf(FilterError)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
