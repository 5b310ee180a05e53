/** What a process says of itself: address, age, and how its journal does. */
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createNodeFacts, type JournalReading } from './node-facts.js'

const HEALTHY: JournalReading = {
  failing: false,
  fault: undefined,
  error: undefined,
  queuedEntries: 2,
  logBytes: 100,
  snapshotBytes: 50,
  committedAt: undefined,
}

function factsOf(
  health: JournalReading | undefined,
  host = '10.0.0.1',
): { clock: HandClock; read: () => object } {
  const clock = new HandClock(1_000, 1_767_225_600_000)
  const deps = { clock, journal: () => health, residentBytes: () => 7 }
  return { clock, read: createNodeFacts(deps, () => ({ host, port: 7400 })) }
}

describe('the facts of a node', () => {
  it('are its address and its age', () => {
    const { clock, read } = factsOf(undefined, '::1')
    clock.advance(90_500)
    expect(read()).toEqual({
      address: '[::1]:7400',
      startedAt: '2026-01-01T00:00:01.000Z',
      uptimeMs: 90_500,
      journal: { durability: 'memory', failing: false },
      residentBytes: 7,
    })
  })

  it('are the size of its journal, and when it was last committed', () => {
    expect(factsOf(HEALTHY).read()).toMatchObject({
      journal: { durability: 'disk', failing: false, bytes: 150, queuedEntries: 2 },
    })
    const { clock, read } = factsOf({ ...HEALTHY, committedAt: 1_000 })
    clock.advance(3_000)
    expect(read()).toMatchObject({ journal: { lastCommitMs: 3_000 } })
  })

  it('are that its disk fails, since what, and what it said', () => {
    const { read } = factsOf({ ...HEALTHY, failing: true, fault: 'call', error: 'ENOSPC' })
    expect(read()).toMatchObject({
      journal: { durability: 'memory', failing: true, fault: 'call', error: 'ENOSPC' },
    })
  })
})
