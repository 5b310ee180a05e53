/** How many freezes may stand. */
import { describe, expect, it } from 'vitest'
import { FREEZES_MAX, Freezes } from './freezes.js'

describe('freezes', () => {
  it('are bounded; one that stands may be made anew, and one that ends makes room', () => {
    const freezes = new Freezes()
    for (let n = 0; n < FREEZES_MAX; n++) freezes.set(`n${n}`, {}, 0)
    const counted: unknown[] = []
    const meter = { count: (...args: unknown[]) => void counted.push(args) }
    expect(freezes.refusal('one-more', meter)).toMatchObject({
      code: 'limit_exceeded',
      details: { quota: 'freezesMax', max: FREEZES_MAX, over: 'node' },
    })
    expect(counted).toEqual([['rollcall_limit_refusals_total', 1, 'freezesMax']])
    expect(freezes.refusal('n0', meter)).toBeUndefined()
    freezes.clear('n1')
    expect(freezes.refusal('one-more', meter)).toBeUndefined()
  })
})
