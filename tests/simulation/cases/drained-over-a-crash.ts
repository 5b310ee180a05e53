/** M5: what an operator drained and disabled is so after a crash of the node. */
import type { Case } from '../case.js'

export const drainedOverACrash: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'override', program: 'provider', index: 0, drain: true },
    { at: 20_000, kind: 'override', program: 'other', index: 0, disable: true },
    { at: 22_000, kind: 'crash', downMs: 500 },
  ],
  healAt: 23_000,
  quietMs: 30_000,
  mutation: 'override-not-recovered',
  finds: 'I19',
}
