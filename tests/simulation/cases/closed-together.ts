/** F4, F5: something on the way resets the sessions of a whole service. Its ports answer, and all are back in a moment. */
import type { Case } from '../case.js'

export const closedTogether: Case = {
  programs: {
    first: { speech: 'sdk' },
    second: { speech: 'sdk' },
    third: { speech: 'sdk' },
    fourth: { speech: 'sdk' },
    consumer: {},
  },
  faults: ['first', 'second', 'third', 'fourth'].map(
    (program) => ({ at: 30_000, kind: 'reset', program }) as const,
  ),
  mutation: 'dead-on-close',
  finds: 'I4',
}
