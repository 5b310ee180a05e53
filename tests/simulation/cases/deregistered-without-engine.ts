/** A program leaves while no engine is there, and its node starts again before it is back. */
import type { Case } from '../case.js'

/** Schedule M6: the process says no more, and no evidence ever comes. From the journal the deregistration is published. */
export const deregisteredWithoutEngine: Case = {
  nodes: 3,
  programs: { leaving: { speech: 'beats' }, living: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'engineDown', ms: 40_000 },
    { at: 35_000, kind: 'leave', program: 'leaving' },
    { at: 37_000, kind: 'crash', node: 0, downMs: 500 },
    { at: 37_000, kind: 'crash', node: 1, downMs: 500 },
    { at: 37_000, kind: 'crash', node: 2, downMs: 500 },
  ],
  mutation: 'farewell-kept-back',
  finds: 'I6',
}
