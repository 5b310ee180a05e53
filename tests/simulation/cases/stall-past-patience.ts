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
  faults: [{ at: 40_000, kind: 'stall', ms: 54_900 }],
  healAt: 120_000,
  mutation: 'no-wake-grace',
  finds: 'I1',
}
