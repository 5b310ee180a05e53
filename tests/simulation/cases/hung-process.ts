/** T6: a stopped process whose kernel goes on accepting is no longer chosen after its lease, and back at once. */
import type { Case } from '../case.js'

export const hungProcess: Case = {
  programs: {
    session: { speech: 'sdk' },
    beats: { speech: 'beats' },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 40_000, kind: 'hang', program: 'session', ms: 40_000 },
    { at: 41_000, kind: 'hang', program: 'beats', ms: 40_000 },
  ],
  healAt: 90_000,
  mutation: 'kernel-is-process',
  finds: 'I2',
}
