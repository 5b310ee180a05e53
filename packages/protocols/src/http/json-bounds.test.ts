/** JSON that would cost its reader too much is refused before it is parsed. */
import { isRegistryError } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkJsonBounds } from './json-bounds.js'

function refusalOf(text: string): string | undefined {
  try {
    checkJsonBounds(Buffer.from(text))
    return undefined
  } catch (error) {
    if (isRegistryError(error)) return `${error.code}: ${error.message}`
    throw error
  }
}

const members = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join()}}`

describe('the bounds of JSON', () => {
  it.each([
    ['brackets a million deep', '['.repeat(1_000_000), 'malformed: the JSON is nested more than 64 deep'],
    ['objects 65 deep', '{"a":'.repeat(65), 'malformed: the JSON is nested more than 64 deep'],
    [
      'an object of many members',
      `{"unknown":${members(20_001)}}`,
      'malformed: the JSON is an object of more than 20000 members',
    ],
    ['a long array', `[${'0,'.repeat(1_000_001)}0]`, 'malformed: the JSON is of more than 1000000 values'],
  ])('refuse %s', (_, text, refusal) => {
    expect(refusalOf(text)).toBe(refusal)
  })

  it.each([
    ['64 deep', '['.repeat(64) + ']'.repeat(64)],
    ['an object of 20,000 members', members(20_000)],
    ['many objects of many members', `[${Array.from({ length: 40 }, () => members(10_000)).join()}]`],
    ['brackets in a text', JSON.stringify({ a: '[{'.repeat(1_000), b: '"\\["'.repeat(1_000) })],
    ['what is no JSON', '}]]"\\'],
  ])('let %s pass', (_, text) => {
    expect(refusalOf(text)).toBeUndefined()
  })

  it('let every ordinary value pass', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'small' }), (text) => {
        expect(refusalOf(text)).toBeUndefined()
      }),
    )
  })
})
