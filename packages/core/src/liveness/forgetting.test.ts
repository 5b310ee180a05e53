/** Forgetting very many at once: in bounded turns, and soon after their time. */
import { describe, expect, it } from 'vitest'
import { ref, Simulation } from '../simulated-node.fixture.js'
import { TICK_MS } from './liveness.js'

const STRAYS = 60_000

describe('a flood of strays', () => {
  it('is forgotten within a second after its time, some thousands a turn', () => {
    const sim = new Simulation()
    for (let from = 0; from < STRAYS; from += 10_000)
      sim.done({
        kind: 'deregister',
        refs: Array.from({ length: 10_000 }, (_, n) => ref(`ghost-${from + n}`, 1)),
      })
    sim.run(30_000 - TICK_MS)
    let held = sim.node.directory.records
    expect(held).toBe(STRAYS)
    let most = 0
    let turns = 0
    while (held > 0 && turns < 1_000) {
      sim.run(TICK_MS)
      most = Math.max(most, held - sim.node.directory.records)
      held = sim.node.directory.records
      turns++
    }
    expect(turns * TICK_MS).toBeLessThanOrEqual(1_000)
    expect(most).toBeLessThanOrEqual(10_000)
  })
})
