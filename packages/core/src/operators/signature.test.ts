/** Who and why are bounded in every command that takes them. */
import { OPERATOR_LIMITS } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { Command } from '../commands.js'
import { Simulation } from '../simulated-node.fixture.js'

const refs = [{ namespace: 'default', service: 'orders', group: 'default', id: 'a' }]
const SIGNED: readonly Command[] = [
  { kind: 'override', refs, drain: true },
  { kind: 'clearOverrides', refs },
  { kind: 'restore', namespace: 'default', service: 'orders' },
  { kind: 'freeze', namespace: 'default' },
  { kind: 'unfreeze', namespace: 'default' },
]

describe.each(SIGNED)('who and why of $kind', (command) => {
  it.each([
    ['by', OPERATOR_LIMITS.byCharsMax],
    ['why', OPERATOR_LIMITS.whyCharsMax],
  ])('%s is refused beyond %i characters, and nothing is done', (field, charsMax) => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.execute({ kind: 'freeze', namespace: 'default' })
    const written = sim.entries.length
    expect(sim.execute({ ...command, [field]: 'x'.repeat(charsMax + 1) })).toMatchObject({
      code: 'invalid_argument',
      field,
    })
    expect(sim.entries).toHaveLength(written)
    expect(sim.execute({ ...command, [field]: 'x'.repeat(charsMax) })).not.toHaveProperty('code')
  })
})
