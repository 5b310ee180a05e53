/** Every planted bug has a case that finds it. */
import { MUTATIONS } from './index.js'
import { describe, expect, it } from 'vitest'
import { CASES } from './cases/index.js'

describe('planted bugs', () => {
  it('are each found by a named case', () => {
    const found = new Set(Object.values(CASES).map(({ mutation }) => mutation))
    expect(MUTATIONS.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([])
  })

  it('have names of their own', () => {
    const names = MUTATIONS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
