/** The parts of lists: which one an instance belongs to, and which differ. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partOf, PARTS_MAX, PartSums, partsFor, partsOf } from './parts.js'

describe('parts of lists', () => {
  it('are told by a hash that any client can compute', () => {
    // FNV-1a of 32 bits over the text of group, slash and id.
    const vectors: readonly [string, string, number][] = [
      ['default', '10.0.0.1:8080', 1_455],
      ['core', 'a', 198],
      ['default', '[fd00::3]:80', 308],
    ]
    expect(vectors.map(([group, id]) => partOf(group, id, 4_096))).toEqual(vectors.map(([, , part]) => part))
    expect(partOf('default', 'a', 1)).toBe(0)
  })

  it('are as many as there are instances, as a power of two', () => {
    expect([0, 1, 2, 3, 1_000, 1_024, 1_025, 1e9].map(partsFor)).toEqual([
      1,
      1,
      2,
      4,
      1_024,
      1_024,
      2_048,
      PARTS_MAX,
    ])
  })

  it('hold about as many instances each', () => {
    const counts = new Uint16Array(1_024)
    for (let host = 0; host < 8_192; host++)
      counts[partOf('default', `10.0.${host >> 8}.${host & 255}:8080`, counts.length)]! += 1
    expect(Math.max(...counts)).toBeLessThan(40)
  })

  it('differ where an instance differs, and nowhere else', () => {
    const parts = 16
    const digest = fc.integer({ min: 0, max: 0xffff_ffff })
    const list = fc.array(fc.tuple(fc.integer({ min: 0, max: parts - 1 }), digest), { maxLength: 50 })
    const sums = (items: readonly (readonly [number, number])[]): PartSums => {
      const made = new PartSums(parts)
      for (const [part, lo] of items) made.add(part, { lo })
      return made
    }
    fc.assert(
      fc.property(list, list, (mine, theirs) => {
        const shown = sums(theirs).toString()
        expect(partsOf(shown)).toBe(parts)
        const sumOf = (items: typeof mine, part: number): number =>
          items.reduce((sum, [of, lo]) => (of === part ? (sum + lo) & 0xffff : sum), 0)
        const expected = Array.from({ length: parts }, (_, part) => part).filter(
          (part) => sumOf(mine, part) !== sumOf(theirs, part),
        )
        expect(sums(mine).differing(shown)).toEqual(expected)
      }),
    )
  })

  it('are nothing but four lower-case hex digits each', () => {
    expect(['', 'abc', 'ABCD', 'abcg', 'abcd ', '0'.repeat(4 * PARTS_MAX + 4)].map(partsOf)).toEqual(
      Array(6).fill(undefined),
    )
    expect([partsOf('00ff'), partsOf('0'.repeat(4 * PARTS_MAX))]).toEqual([1, PARTS_MAX])
  })
})
