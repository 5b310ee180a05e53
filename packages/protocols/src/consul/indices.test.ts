/** Indices grow with changes and tell what was listed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { heightAt, indexOf, relationOf } from './indices.js'

const SIGN = '0123456789abcdef'

describe('an index', () => {
  it('grows with the height, whatever is listed', () => {
    const sign = fc.bigInt(0n, 2n ** 64n - 1n).map((value) => value.toString(16).padStart(16, '0'))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 41 - 2 }), sign, sign, (height, a, b) => {
        expect(indexOf(height + 1, b)).toBeGreaterThan(indexOf(height, a))
        expect(Number.isSafeInteger(indexOf(height + 1, b))).toBe(true)
      }),
    )
  })

  it('begins above earlier boots, and above nothing where the clock is wrong', () => {
    const [before, after] = [Date.UTC(2026, 10, 30), Date.UTC(2026, 10, 30, 0, 0, 1)].map(heightAt)
    expect((after ?? 0) - (before ?? 0)).toBe(1_000)
    expect([heightAt(0), indexOf(heightAt(0), '0000000000000000')]).toEqual([1, 4_096])
    expect(indexOf(heightAt(Date.UTC(2088, 0, 1)), SIGN)).toBeLessThan(Number.MAX_SAFE_INTEGER)
  })

  it('tells whether its client has the present list', () => {
    const current = indexOf(60_000_000_000, SIGN)
    const cases: readonly (readonly [number, string])[] = [
      [current, 'current'],
      [indexOf(70_000_000_000, SIGN), 'alike'],
      [indexOf(1, SIGN), 'alike'],
      [indexOf(60_000_000_000, '0123456789abcdee'), 'other'],
      [indexOf(70_000_000_000, '0000000000000000'), 'other'],
      [1, 'none'],
      [4_095, 'none'],
      [2 ** 64, 'none'],
    ]
    for (const [seen, relation] of cases) expect(relationOf(seen, current)).toBe(relation)
  })
})
