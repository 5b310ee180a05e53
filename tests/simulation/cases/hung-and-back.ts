/** F1: an instance that was taken for dead and lives is up again with the first evidence. */
import type { Case } from '../case.js'

export const hungAndBack: Case = {
  programs: {
    beats: { speech: 'beats' },
    session: { speech: 'sdk' },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 30_000, kind: 'hang', program: 'beats', ms: 70_000 },
    { at: 31_000, kind: 'isolate', host: '10.1.0.2', ms: 30_000 },
  ],
  healAt: 110_000,
  mutation: 'no-refutation',
  finds: 'I1',
}
