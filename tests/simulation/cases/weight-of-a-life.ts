/** A weight that an operator gave goes with its incarnation; that it is to drain stays. */
import type { Case } from '../case.js'

export const weightOfALife: Case = {
  programs: { provider: { speech: 'beats' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'override', program: 'provider', index: 0, weight: 7 },
    { at: 20_000, kind: 'override', program: 'other', index: 0, weight: 9, drain: true },
    { at: 22_000, kind: 'kill', program: 'provider', downMs: 1_000 },
    { at: 22_000, kind: 'kill', program: 'other', downMs: 1_000 },
  ],
  healAt: 23_000,
  quietMs: 30_000,
  mutation: 'weight-binds-to-id',
  finds: 'I19',
}
