/** Draws by weight: nothing twice, in shares that follow the weights, in the short way as in the long one. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPool, draw } from './draw.js'
import { createChance } from './registry.fixture.js'

function poolOf(weights: readonly number[]): ReturnType<typeof createPool<number>> {
  return createPool(
    weights.map((_, place) => place),
    weights,
  )
}

describe('a draw', () => {
  it('holds as many as are wanted, each once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(65_535), { maxLength: 1_500, size: 'max' }),
        fc.nat(1_600),
        fc.nat(),
        (weights, count, seed) => {
          const drawn = draw(poolOf(weights), count, createChance(seed))
          expect(drawn.length).toBe(Math.min(count, weights.length))
          expect(new Set(drawn).size).toBe(drawn.length)
        },
      ),
    )
  })

  it('gives each its share of the first places', () => {
    for (const rivals of [3, 2_000]) {
      // The first weighs as much as all others together.
      const pool = poolOf([rivals * 10, ...Array.from({ length: rivals }, () => 10)])
      const chance = createChance(rivals)
      let first = 0
      for (let n = 0; n < 2_000; n++) if (draw(pool, 1, chance)[0] === 0) first++
      expect(first).toBeGreaterThan(900)
      expect(first).toBeLessThan(1_100)
    }
  })

  it('takes what weighs nothing last', () => {
    for (const others of [3, 2_000]) {
      const pool = poolOf([...Array.from({ length: others }, () => 0), 1])
      for (let seed = 0; seed < 20; seed++) expect(draw(pool, 1, createChance(seed))).toEqual([others])
    }
    const none = poolOf([0, 0, 0])
    const chance = createChance(5)
    expect(new Set(Array.from({ length: 50 }, () => draw(none, 3, chance)[0])).size).toBe(3)
    expect(draw(poolOf([]), 3, chance)).toEqual([])
  })

  it('ends although one weighs so much that hardly anything else is ever hit', () => {
    const pool = poolOf([1e12, ...Array.from({ length: 5_000 }, () => 1)])
    const drawn = draw(pool, 70, createChance(9))
    expect([drawn.length, drawn.includes(0)]).toEqual([70, true])
  })
})
