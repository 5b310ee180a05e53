/** Two operators want different things of one instance, at two nodes, at the same moment. */
import type { Case } from '../case.js'

/** Schedules F2 and F21: one of the writes is refused by the engine, merged, and tried again. Both nodes end with one truth. */
export const twoOperators: Case = {
  nodes: 3,
  programs: { wanted: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 19_000, kind: 'engineSlow', byMs: 300, ms: 10_000, all: true },
    { at: 20_000, kind: 'override', node: 0, program: 'wanted', index: 0, drain: true },
    { at: 20_000, kind: 'override', node: 1, program: 'wanted', index: 0, weight: 7 },
    { at: 20_001, kind: 'override', node: 2, program: 'wanted', index: 0, disable: true },
  ],
  mutation: 'conflict-lost',
  finds: 'I6',
}
