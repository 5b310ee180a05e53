import { mutationNamed, simulate, sketched } from '@rollcall/testkit/simulation'
import { describe, expect, it } from 'vitest'
import { CASES } from './cases/index.js'

describe.each(Object.entries(CASES))('%s', (_name, { mutation, finds, ...sketch }) => {
  it('holds', async () => {
    const { failure } = await simulate(sketched(sketch))
    expect(failure?.message).toBeUndefined()
  })

  it(`does not hold with the planted bug ${mutation}`, async () => {
    const { sabotage } = mutationNamed(mutation)
    const { failure } = await simulate(sketched(sketch), { sabotage })
    expect(failure?.invariant.slice(0, 2)).toBe(finds)
  })
})
