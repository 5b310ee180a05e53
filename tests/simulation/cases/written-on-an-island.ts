/** A node without the engine takes registrations and orders. */
import type { Case } from '../case.js'

/** Schedules F10 and F23: they are marked on the records themselves, and published when the engine is back. */
export const writtenOnAnIsland: Case = {
  nodes: 3,
  programs: { first: { speech: 'sdk' }, late: { speech: 'static', startAt: 30_000 }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'engineDown', ms: 40_000 },
    { at: 40_000, kind: 'override', node: 1, program: 'first', index: 0, weight: 9 },
  ],
  mutation: 'island-forgets',
  finds: 'I6',
}
