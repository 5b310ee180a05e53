import type { Case } from '../case.js'

/**
 * Seed 184. A consumer has nobody but one who is dead and whom the node, which has just started, never heard and does
 * not doubt yet. It tells the node so every two seconds, is never answered, never pings for all its talking, and takes
 * its own stream for dead.
 */
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
