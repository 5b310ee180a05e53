/**
 * Seed 184. The only instance of a consumer is dead; the node, which has just started, never heard it and does not
 * doubt it yet. The consumer sends a hint every two seconds, is never answered, never pings because it sends, and takes
 * its own stream for dead.
 */
import type { Case } from '../case.js'

export const unansweredHints: Case = {
  programs: { provider: { speech: 'beats', leaseMs: 30_000 }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'crash', downMs: 1_000 },
    { at: 30_500, kind: 'kill', program: 'provider', downMs: 120_000 },
  ],
  healAt: 120_000,
  mutation: 'anything-said-is-a-ping',
  finds: 'I10',
}
