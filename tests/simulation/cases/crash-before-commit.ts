/** A slow disk: what was not written yet when the node died had not been acknowledged with `disk`. */
import type { Case } from '../case.js'

export const crashBeforeCommit: Case = {
  programs: { provider: { speech: 'sdk' }, late: { speech: 'beats', startAt: 30_100 }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'disk', commitMs: 400, ms: 10_000 },
    { at: 30_050, kind: 'leave', program: 'provider', downMs: 5_000 },
    { at: 31_400, kind: 'crash', downMs: 500 },
  ],
  mutation: 'ack-before-commit',
  finds: 'I8',
}
