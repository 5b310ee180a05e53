/** Every case holds, and its planted bug is found. */
import { mutationNamed, simulate, sketched } from './index.js'
import { describe, expect, it } from 'vitest'
import { CHANCES } from './case.js'
import { CASES } from './cases/index.js'

/** Each case is some seconds of work at most, on a machine that is busy with other tests. */
const TIMEOUT_MS = 60_000

describe.each(Object.entries(CASES))('%s', (_name, { mutation, finds, ...sketch }) => {
  it('holds', { timeout: TIMEOUT_MS }, async () => {
    for (const seed of CHANCES) {
      const { failure } = await simulate(sketched({ ...sketch, seed }))
      expect(failure?.message, `chance ${seed}`).toBeUndefined()
    }
  })

  it(`does not hold with the planted bug ${mutation}`, { timeout: TIMEOUT_MS }, async () => {
    const { sabotage } = mutationNamed(mutation)
    const found: string[] = []
    for (const seed of CHANCES) {
      const { failure } = await simulate(sketched({ ...sketch, seed }), { sabotage })
      if (failure !== undefined) found.push(failure.invariant.replace(/ .*/, ''))
      if (found.includes(finds)) break
    }
    expect(found).toContain(finds)
  })
})
