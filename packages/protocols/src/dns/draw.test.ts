/** Draws by weight: nothing twice, in shares that follow the weights, whichever way is taken. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Draw } from './draw.js'
import { createChance } from './registry.fixture.js'

const drawOf = (weights: readonly number[]): Draw => new Draw(Float64Array.from(weights))

function drawn(draw: Draw, count: number, chance: () => number): number[] {
  draw.draw(count, chance)
  return [...draw.order.subarray(0, Math.min(count, draw.size))]
}

describe('a draw', () => {
  it('holds as many as are wanted, each once, again and again', () => {
    const weights = fc.oneof(
      fc.array(fc.nat(65_535), { maxLength: 1_500, size: 'max' }),
      fc.nat(1_500).map((length) => Array.from({ length }, () => 100)),
      fc.array(fc.nat(2), { maxLength: 30 }),
    )
    fc.assert(
      fc.property(weights, fc.array(fc.nat(1_600), { maxLength: 3 }), fc.nat(), (all, counts, seed) => {
        const draw = drawOf(all)
        const chance = createChance(seed)
        for (const count of counts) {
          const places = drawn(draw, count, chance)
          expect(places.length).toBe(Math.min(count, all.length))
          expect(new Set(places).size).toBe(places.length)
          for (const place of places) expect(place).toBeLessThan(all.length)
        }
      }),
    )
  })

  it.each([3, 20, 100, 2_000])('gives each of %i its share of the first places', (rivals) => {
    // The first weighs as much as all others together.
    const draw = drawOf([rivals * 10, ...Array.from({ length: rivals }, () => 10)])
    const chance = createChance(rivals)
    let first = 0
    for (let n = 0; n < 2_000; n++) if (drawn(draw, 1, chance)[0] === 0) first++
    expect(first).toBeGreaterThan(900)
    expect(first).toBeLessThan(1_100)
  })

  it('gives the second place by what is left of the weights', () => {
    const draw = drawOf([1_000, 300, 100])
    const chance = createChance(3)
    let second = 0
    let after = 0
    for (let n = 0; n < 4_000; n++) {
      const [first, next] = drawn(draw, 2, chance)
      if (first !== 0) continue
      after++
      if (next === 1) second++
    }
    expect(second / after).toBeGreaterThan(0.72)
    expect(second / after).toBeLessThan(0.78)
  })

  it('of alike ones has each in each place as often', () => {
    const draw = drawOf([7, 7, 7, 7])
    const chance = createChance(11)
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0])
    for (let n = 0; n < 4_000; n++)
      for (const [at, place] of drawn(draw, 4, chance).entries()) counts[at]![place]!++
    for (const count of counts.flat()) {
      expect(count).toBeGreaterThan(880)
      expect(count).toBeLessThan(1_120)
    }
  })

  it.each([3, 100, 2_000])('takes what weighs nothing last, of %i', (others) => {
    const draw = drawOf([...Array.from({ length: others }, () => 0), 1])
    for (let seed = 0; seed < 20; seed++) expect(drawn(draw, 1, createChance(seed))).toEqual([others])
  })

  it('is of none, or of those that all weigh nothing', () => {
    const none = drawOf([0, 0, 0])
    const chance = createChance(5)
    expect(new Set(Array.from({ length: 50 }, () => drawn(none, 3, chance)[0])).size).toBe(3)
    expect(drawn(drawOf([]), 3, chance)).toEqual([])
  })

  it('ends although one weighs so much that hardly anything else is ever hit', () => {
    const draw = drawOf([1e12, ...Array.from({ length: 5_000 }, () => 1)])
    const places = drawn(draw, 70, createChance(9))
    expect([places.length, new Set(places).size, places.includes(0)]).toEqual([70, 70, true])
  })
})
