/**
 * Seed 18. The node stands still for longer than its clients wait. When it goes on, it reads the closes of all
 * of them at once, and clients that are between two attempts to connect just then are not back within half a second.
 */
import type { Case } from '../case.js'

export const stallPastPatience: Case = {
  programs: {
    first: { speech: 'sdk' },
    second: { speech: 'sdk' },
    third: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 40_000, kind: 'stall', ms: 35_200 },
    // Else they would have told the node that they go elsewhere.
    { at: 41_000, kind: 'reset', program: 'first' },
    { at: 41_000, kind: 'reset', program: 'second' },
    { at: 41_000, kind: 'reset', program: 'third' },
  ],
  healAt: 120_000,
  mutation: 'no-wake-grace',
  finds: 'I1',
}
