/** Deregistrations that no registry has answered. */
import { describe, expect, it } from 'vitest'
import { TIMES } from '../machine/settings.js'
import { Departures } from './departures.js'
import type { ClusterEffect, ClusterTurn } from './events.js'
import type { Outbox } from './outbox.js'

const AWAY = { usable: false } as Outbox

describe('deregistrations for a registry that is away', () => {
  it('are kept up to 100,000; the oldest are left to their lease, and their callers are told', () => {
    const effects: ClusterEffect[] = []
    const turn = { now: 0, emit: (effect: ClusterEffect) => effects.push(effect) } as unknown as ClusterTurn
    const departures = new Departures(TIMES, AWAY)
    const refs = (count: number): { service: string; id: string }[] =>
      Array.from({ length: count }, (_, n) => ({ service: 'orders', id: `i${n}` }))
    departures.add(turn, refs(2), 1)
    departures.add(turn, refs(99_998), 2)
    expect([departures.size, effects]).toEqual([100_000, []])
    departures.add(turn, refs(2), undefined)
    expect([departures.size, effects]).toEqual([100_000, [{ type: 'resolve', token: 1 }]])
  })
})
