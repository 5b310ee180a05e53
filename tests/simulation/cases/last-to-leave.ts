import type { Case } from '../case.js'

/** F17: a service empties because everybody says goodbye. Nobody may be kept as a last resort. */
export const lastToLeave: Case = {
  seed: '1',
  programs: { first: { speech: 'sdk' }, second: { speech: 'sdk' }, third: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'leave', program: 'first' },
    { at: 32_000, kind: 'leave', program: 'second' },
    { at: 34_000, kind: 'leave', program: 'third' },
  ],
  mutation: 'reasons-lost',
  finds: 'I3',
}
