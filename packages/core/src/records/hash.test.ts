/** The 64-bit hash, by vectors. */
import { formatLanes } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { hash64 } from './hash.js'

const hex = (text: string): string => {
  const { hi, lo } = hash64(text)
  return formatLanes(hi, lo)
}

describe('hash64', () => {
  // Computed with an independent implementation of MurmurHash3_x86_128, seed 0, first 64 bits.
  it.each([
    ['', '0000000000000000'],
    ['a', 'a794933c5556b01b'],
    ['rollcall', '4ea01f581d3981dc'],
    ['The quick brown fox jumps over the lazy dog', '2f1583c3ecee2c67'],
    ['é😀 häuser', '9067cccae7abbe90'],
    ['xxxxxxxxxxxxxxxx', '704be03d8792ddda'],
    ['xxxxxxxxxxxxxxxxx', 'f6a9086c393fa3d6'],
    ['0123456789abcdef0123456789abcde', 'a9557e29787f5b82'],
  ])('agrees with the reference for %j', (text, expected) => {
    expect(hex(text)).toBe(expected)
  })

  it('does not depend on what was hashed before', () => {
    const before = hex('short')
    hex('a much longer text that leaves other bytes behind in the buffer '.repeat(100))
    expect(hex('short')).toBe(before)
  })

  it('treats a lone surrogate as the replacement character', () => {
    expect(hex('\ud800')).toBe(hex('\ufffd'))
  })
})
