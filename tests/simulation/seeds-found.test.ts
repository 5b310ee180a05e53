/** Seeds that once failed. */
import { mutationNamed } from './index.js'
import { describe, expect, it } from 'vitest'
import { complaintOf, TIMEOUT_MS } from './seeds.js'

/** Seeds beyond the first that found something once, and what. */
const FOUND: readonly (readonly [seed: number, what: string])[] = [
  [2_168, 'an id held for ten minutes by a predecessor that was never heard'],
  [2_733, 'something in an early build'],
  [10_519, 'a nameless goodbye, read late, that passed for a living process thrown out'],
  [10_856, 'a flapper written down twice when its address changed'],
  [12_194, 'a firewall that was lifted a moment before anybody was heard again'],
  [12_385, 'a stall of the node that a deadline of the checker did not leave out'],
  [14_095, 'a firewall that came up when the node had just connected'],
  [40_030, 'a removal time that a fast clock of the node measured, and the checker did not'],
  [101_513, 'a list read late, of when a deregistration was lost with its node and not yet said again'],
  [101_917, 'a last resort that was deregistered after it had vanished'],
  [102_712, 'a beat read twenty seconds late, after its port had refused'],
  [102_756, 'an intent of while the node was away, before its client was back'],
  [940_000_832, 'a client of the checker that went on after its process was killed, holding a watch'],
  [940_001_541, 'the same, losing a connection'],
  [950_002_434, 'a registration acknowledged to a slow reader after another caller had taken it out'],
]

/** The same, with three nodes. */
const FOUND_WITH_THREE: readonly (readonly [seed: number, what: string])[] = [
  [36, 'beats at a quarter of the lease of which a node passed on every second one'],
  [15, 'an adopter that did not know what a third node had heard'],
  [40, 'an adopter that doubted at once, because links had ended long before'],
  [168, 'a journal that alone knew an instance, and doubted it before its judge had told of it'],
  [177, 'an empty node without engine that took what its own clients registered for the list'],
  [332, 'a registration said again that was answered replicated while the first one still waited'],
  [866, 'a node that an engine restored from a backup never told of'],
  [5_036, 'hints that ended at a node that does not judge'],
  [977, 'silence on an island that counted before peers had joined again'],
]

/** The same, with two clusters. */
const FOUND_WITH_TWO: readonly (readonly [seed: number, what: string])[] = [
  [5, 'a number that a process has in one cluster and its predecessor had in another'],
]

describe('simulation', () => {
  it.each(FOUND)('seed %i, which found %s, holds', { timeout: TIMEOUT_MS }, async (seed) => {
    expect(await complaintOf(seed, { nodes: 1, clusters: 1 })).toBeUndefined()
  })

  it.each(FOUND_WITH_TWO)(
    'seed %i with two clusters, which found %s, holds',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      expect(await complaintOf(seed, { nodes: 1, clusters: 2 })).toBeUndefined()
    },
  )

  it.each(FOUND_WITH_THREE)(
    'seed %i with three nodes, which found %s, holds',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      expect(await complaintOf(seed, { nodes: 3 })).toBeUndefined()
    },
  )

  it('tells how to replay a seed that fails, and how it went', async () => {
    const { sabotage } = mutationNamed('beats-write')
    expect(await complaintOf(1, { sabotage })).toMatch(
      /^seed 1: I7 quiet journal at [^\n]*\nreplay it with: npm run sim -- --seed 1 --shrink\n +\d+\.\d{3} {2}\w/,
    )
  })
})
