/** What a series of refusals amounts to, apart from how many others refuse. */
import { describe, expect, it } from 'vitest'
import { type Baseline, createEvidence, type Evidence } from './evidence.js'
import { NO_FLAPS } from './damping.js'
import type { Guards } from './guards.js'
import type { Questions } from './question.js'
import { Refusals } from './refusals.js'
import { Simulation } from '../simulated-node.fixture.js'

const LEASE_MS = 10_000

function refusing(
  baseline: Baseline,
  believes: boolean,
): { refusals: Refusals; evidence: Evidence; asked: number[] } {
  const sim = new Simulation()
  sim.register()
  const [entry] = sim.node.directory.entries()
  if (entry === undefined) throw new Error('nothing is registered')
  const asked: number[] = []
  const questions = { ask: (_: Evidence, t: number) => asked.push(t) } as unknown as Questions
  const guards = { believesRefusal: () => believes } as unknown as Guards
  const evidence = createEvidence(entry, 0, { heard: false, isJudge: true, flaps: NO_FLAPS })
  evidence.baseline = baseline
  return { refusals: new Refusals({ questions, guards }, { refusalGapMs: 100 }), evidence, asked }
}

describe('refusals where this boot once connected', () => {
  it('are believed in pairs', () => {
    const { refusals, evidence, asked } = refusing('own', true)
    expect(refusals.another(evidence, 100, LEASE_MS, true)).toBe(false)
    expect(asked).toEqual([100])
    expect(refusals.another(evidence, 150, LEASE_MS, true)).toBe(true)
  })

  it('that are too many are believed once they have insisted for a lease, whatever else refuses meanwhile', () => {
    const { refusals, evidence } = refusing('own', false)
    const believed: number[] = []
    for (let t = 0; t <= LEASE_MS; t += 500) {
      refusals.another(evidence, t, LEASE_MS, true)
      if (refusals.another(evidence, t + 50, LEASE_MS, true)) believed.push(t + 50)
    }
    expect(believed).toEqual([LEASE_MS + 50])
  })

  it('from before the last sound are no part of the series', () => {
    const { refusals, evidence } = refusing('own', false)
    refusals.another(evidence, 0, LEASE_MS, true)
    refusals.another(evidence, 50, LEASE_MS, true)
    evidence.heardAt = 5_000
    refusals.another(evidence, LEASE_MS, LEASE_MS, true)
    expect(refusals.another(evidence, LEASE_MS + 50, LEASE_MS, true)).toBe(false)
  })
})
