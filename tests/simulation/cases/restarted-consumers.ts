/** F26: consumers come and go, orderly or not, and leave nothing behind. */
import type { Case } from '../case.js'

export const restartedConsumers: Case = {
  programs: { provider: { speech: 'sdk' }, first: {}, second: {}, third: {} },
  faults: [
    { at: 20_000, kind: 'kill', program: 'first', downMs: 500 },
    { at: 22_000, kind: 'leave', program: 'second' },
    { at: 24_000, kind: 'reset', program: 'third' },
    { at: 30_000, kind: 'forget', program: 'first' },
  ],
  healAt: 60_000,
  mutation: 'watches-leak',
  finds: 'I9',
}
