/** M6: a deregistration was acknowledged with disk, the node crashes, and the process is gone: it cannot repeat it. */
import type { Case } from '../case.js'

export const forgottenFarewell: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'leave', program: 'provider' },
    { at: 40_000, kind: 'crash', downMs: 1_000 },
  ],
  mutation: 'gone-not-recovered',
  finds: 'I3',
}
