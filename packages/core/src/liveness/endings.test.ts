/** What ends, or is forgotten: a death undone, flips of long ago, answers to former questions. */
import { describe, expect, it } from 'vitest'
import { keyOf, ref, Simulation } from '../simulated-node.fixture.js'
import { DAMPING_DEFAULTS, returned } from './damping.js'
import { LIVENESS_DEFAULTS } from './options.js'

/** Ten instances that beat every 5 s, but for those that are mute. */
function fleet(): { sim: Simulation; mute: Set<string>; down: () => string[] } {
  const sim = new Simulation({ liveness: LIVENESS_DEFAULTS })
  const mute = new Set<string>()
  const ids = Array.from({ length: 10 }, (_, n) => `i${n}`)
  for (const [n, id] of ids.entries()) {
    sim.register({ id, incarnation: 5, host: `10.0.0.${n}` })
    sim.every(5_000, () => {
      if (!mute.has(id)) sim.beat(id, 5)
    })
  }
  sim.network = ({ key }) => (mute.has(key.id) ? 'silence' : 'succeeded')
  sim.run(10_000)
  return { sim, mute, down: () => ids.filter((id) => sim.shown(id) === 'down silence') }
}

describe('a death by silence', () => {
  it('that was undone makes room for another', () => {
    const { sim, mute, down } = fleet()
    for (const id of ['i0', 'i1', 'i2']) mute.add(id)
    sim.run(25_000)
    expect(down()).toEqual(['i0', 'i1', 'i2'])
    mute.clear()
    sim.run(10_000)
    expect(down()).toEqual([])
    for (const id of ['i3', 'i4', 'i5']) mute.add(id)
    sim.run(25_000)
    expect(down()).toEqual(['i3', 'i4', 'i5'])
  })
})

describe('a freeze', () => {
  it('keeps those listed whose port refused, too', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.run(1_000)
    sim.done({ kind: 'freeze', namespace: 'default' })
    sim.network = () => 'refused'
    sim.run(300_000)
    expect(sim.shown()).toBe('down refused')
    sim.done({ kind: 'unfreeze', namespace: 'default' })
    sim.run(1_000)
    expect(sim.shown()).toBeUndefined()
  })
})

describe('flips', () => {
  it('ten minutes apart are never flapping', () => {
    const flipsAt = [0, 600_000, 1_200_000]
    const flaps = returned({ flipsAt, holdMs: 0, until: -Infinity }, 1_201_000, DAMPING_DEFAULTS)
    expect(flaps.until).toBe(-Infinity)
    const quick = returned(
      { flipsAt: [0, 20_000, 40_000], holdMs: 0, until: -Infinity },
      41_000,
      DAMPING_DEFAULTS,
    )
    expect(quick.until).toBe(51_000)
  })
})

describe('an answer', () => {
  it('older than the last sound of a session does not confirm its silence: it is asked first', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    const fallSilent = sim.every(3_000, () => session.heard())
    sim.run(10_000)
    sim.network = () => 'silence'
    sim.node.unreachable([ref('a', 5)], sim.now)
    sim.run(60_000)
    fallSilent()
    sim.network = () => ({ outcome: 'failed', afterMs: 700 })
    sim.mark()
    sim.run(12_000)
    const [asked] = sim.asked('evidence')
    const [line = ''] = sim.transcript
    expect(line).toMatch(/suspect silence$/)
    expect(Number(line.split(' ')[0])).toBe((asked ?? 0) + 700)
  })

  it('about the predecessor is no baseline of its successor', () => {
    const sim = new Simulation()
    sim.network = ({ incarnation }) => (incarnation === 5 ? { outcome: 'succeeded', afterMs: 500 } : 'failed')
    sim.register({ incarnation: 5 })
    sim.run(100)
    sim.register({ incarnation: 6 })
    sim.run(600)
    expect(sim.read.explain(keyOf('a'))).toMatchObject({ incarnation: 6, evidence: { baseline: false } })
  })
})
