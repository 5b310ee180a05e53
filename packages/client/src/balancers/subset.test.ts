/** Stable parts of a large service. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { createSubset } from './subset.js'

const numbered = (n: number): Instance[] =>
  Array.from({ length: n }, (_, index) => instance(`10.0.0.${index}:80`))

/** What of a list a client calls. */
function part(list: readonly Instance[], size: number, client: string): readonly Instance[] {
  let seen: readonly Instance[] = []
  const subset = createSubset(
    { update: (candidates) => (seen = candidates), pick: () => undefined },
    { size, client },
  )
  subset.update(list)
  return seen
}

describe('a subset', () => {
  const scenario = fc.record({
    n: fc.integer({ min: 2, max: 60 }),
    size: fc.integer({ min: 1, max: 30 }),
    at: fc.nat(),
    client: fc.string(),
  })

  it('is the same for the same client, whatever the order, and everybody where there are few', () => {
    fc.assert(
      fc.property(scenario, ({ n, size, client }) => {
        const list = numbered(n)
        const chosen = part(list, size, client)
        expect(chosen).toHaveLength(Math.min(n, size))
        expect(new Set(part(list.toReversed(), size, client))).toEqual(new Set(chosen))
      }),
    )
  })

  it('changes by one instance at most when one leaves or joins', () => {
    fc.assert(
      fc.property(scenario, ({ n, size, at, client }) => {
        const list = numbered(n)
        const rest = list.filter((_, index) => index !== at % n)
        const [all, fewer] = [new Set(part(list, size, client)), part(rest, size, client)]
        expect(fewer.filter((item) => !all.has(item)).length).toBeLessThanOrEqual(1)
        if (!all.has(list[at % n]!)) expect(new Set(fewer)).toEqual(all)
      }),
    )
  })

  it('spreads clients over all instances', () => {
    const list = numbered(100)
    const found = new Map<Instance, number>()
    for (let client = 0; client < 1_000; client += 1)
      for (const item of part(list, 10, `host-${client}/1`)) found.set(item, (found.get(item) ?? 0) + 1)
    // 100 on average, with a standard deviation of 9.5.
    expect(found.size).toBe(100)
    for (const count of found.values()) {
      expect(count).toBeGreaterThan(60)
      expect(count).toBeLessThan(140)
    }
  })
})
