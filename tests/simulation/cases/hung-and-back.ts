import type { Case } from '../case.js'

/** F1: whoever was taken for dead and was not is back with the first sound it makes. */
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
