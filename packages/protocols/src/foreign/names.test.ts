/** Any text has one name of ours, and every name of ours is one text. */
import { ID_PATTERN, NAME_PATTERN } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeId, escapeName, readId, readName } from './names.js'

const piece = fc.oneof(
  fc.constantFrom(
    '_.',
    '_',
    '_2f',
    '_5f',
    '/',
    '#',
    '%',
    ':',
    '[',
    '.',
    '-',
    'a',
    'Z',
    '0',
    'é',
    '中',
    '😀',
    '\0',
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
)
const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''))
const word = fc.constantFrom('_', '_.', '_2', '_2f', '_5f', '_c3_a9', '.', 'a', 'f', '-')
const ours = fc
  .array(word, { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(''))
  .filter((name) => NAME_PATTERN.test(name))

describe.each([
  ['names', escapeName, readName, NAME_PATTERN],
  ['ids', escapeId, readId, ID_PATTERN],
] as const)('%s', (_what, escape, read, pattern) => {
  it('come back as the text that they were', () => {
    fc.assert(
      fc.property(text, (each) => {
        const name = escape(each)
        if (name === undefined) return
        expect(name).toMatch(pattern)
        expect(read(name)).toBe(each)
      }),
      { numRuns: 2_000 },
    )
  })

  it('are one for each text, and read as one text', () => {
    fc.assert(
      fc.property(ours, (name) => {
        expect(escape(read(name))).toBe(name)
      }),
      { numRuns: 2_000 },
    )
  })

  it('of two texts differ', () => {
    fc.assert(
      fc.property(fc.oneof(text, ours), fc.oneof(text, ours), (one, other) => {
        const [a, b] = [escape(one), escape(other)]
        expect(a === undefined || b === undefined || (a === b) === (one === other)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each(['orders', 'Order-Service_2.x', '_x', '_.', '_.orders', '_.%', '_.a_zz', '_._ff', 'a_2fb'])(
    '%s stays as it is, if it is one, and reads as itself',
    (name) => {
      expect(read(name)).toBe(name)
      expect(escape(name) === name).toBe(pattern.test(name))
    },
  )
})

it.each([
  ['a/b', '_.a_2fb'],
  ['a b_c', '_.a_20b_5fc'],
  ['héé', '_.h_c3_a9_c3_a9'],
  ['...', '_....'],
  ['_.a_2fb', '_._5f.a_5f2fb'],
])('%s is %s', (each, name) => {
  expect([escapeName(each), readName(name)]).toEqual([name, each])
})

it('an id keeps the colons and brackets that it may have', () => {
  expect(escapeId('[::1]:80')).toBe('[::1]:80')
  expect(escapeId('h:svc#80')).toBe('_.h:svc_2380')
})

it('what is no text, no Unicode, or too long has none', () => {
  for (const each of ['', '\ud800', 'a\udc00b', '/'.repeat(43), 'a'.repeat(129), 'é'.repeat(257)])
    expect(escapeName(each)).toBeUndefined()
  expect(escapeName('/'.repeat(42))).toHaveLength(128)
  expect(escapeName('é', 1)).toBeUndefined()
  expect(escapeId('a'.repeat(320))).toHaveLength(320)
  expect(escapeId('x'.repeat(10_000_000))).toBeUndefined()
})
