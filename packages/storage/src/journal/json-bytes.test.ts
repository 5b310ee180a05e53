/** JSON written as bytes is what JSON.stringify would write. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonBytes } from './json-bytes.js'

function textOf(write: (json: JsonBytes) => void, sizeGuess = 0): string {
  const json = new JsonBytes(sizeGuess)
  write(json)
  expect(json.length).toBe(json.written().length)
  return Buffer.from(json.written()).toString()
}

const anyString = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '"',
    '\\',
    '\u0000',
    '\u001f',
    '\u007f',
    '\u0080',
    'ä',
    '😀',
    '\ud800',
    '\udc00x',
    '\u2028',
  ),
)

describe('JSON as bytes', () => {
  it('is what JSON.stringify makes of any string', () => {
    fc.assert(
      fc.property(anyString, (value) => {
        expect(textOf((json) => json.string(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('is what JSON.stringify makes of any number', () => {
    const edges = [0, 9, 10, 99, 999_999_999, 1e9, 1e9 + 1, 1e10, 1_700_000_000_007, 2 ** 31, 2 ** 32]
    const odd = [Number.MAX_SAFE_INTEGER, 2 ** 53, 1e21, -1, -0, 0.5, NaN, Infinity]
    for (const value of [...edges, ...odd])
      expect(textOf((json) => json.number(value))).toBe(JSON.stringify(value))
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.maxSafeInteger(), fc.double()), (value) => {
        expect(textOf((json) => json.number(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('is what JSON.stringify makes of an object of strings, whatever its names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(anyString, fc.constant('__proto__')), anyString), (value) => {
        expect(textOf((json) => json.strings(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('keeps what was written when it grows', () => {
    const strings = Array.from({ length: 200 }, (_, index) => (index % 7 === 0 ? 'ä' : 'a').repeat(index))
    const write = (json: JsonBytes): void => {
      for (const each of strings) json.string(each)
    }
    expect(textOf(write, 1)).toBe(strings.map((each) => JSON.stringify(each)).join(''))
  })
})
