/** The engine loses everything. */
import type { Case } from '../case.js'

/** Schedule F6: absence deletes nothing. What the nodes hold is published anew, under a new epoch. */
export const engineWiped: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'sdk' },
    second: { speech: 'beats' },
    third: { speech: 'static' },
    consumer: {},
  },
  faults: [{ at: 20_000, kind: 'engineWipe' }],
  mutation: 'absence-deletes',
  finds: 'I1',
}
