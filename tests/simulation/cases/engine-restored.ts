/** The engine goes back to a backup that is older than what was registered since. */
import type { Case } from '../case.js'

/** Schedules F6 and T22: a smaller revision is another history. What no node has heard lately is published all the same. */
export const engineRestored: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'sdk' },
    late: { speech: 'static', startAt: 20_000 },
    later: { speech: 'probed', startAt: 20_000 },
    consumer: {},
  },
  faults: [
    { at: 15_000, kind: 'engineBackup' },
    { at: 70_000, kind: 'engineRestore' },
  ],
  mutation: 'old-history-believed',
  finds: 'I1',
}
