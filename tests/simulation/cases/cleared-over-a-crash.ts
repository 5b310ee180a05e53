/** What an operator took back does not come back with the journal. */
import type { Case } from '../case.js'

export const clearedOverACrash: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'override', program: 'provider', index: 0, drain: true, weight: 7 },
    { at: 21_000, kind: 'clear', program: 'provider', index: 0 },
    { at: 22_000, kind: 'crash', downMs: 500 },
  ],
  healAt: 23_000,
  quietMs: 30_000,
  mutation: 'clearance-not-recovered',
  finds: 'I19',
}
