/** F13: Node runs timers before it reads sockets. A node that wakes up must not take its own sleep for silence. */
import type { Case } from '../case.js'

export const stalledNode: Case = {
  programs: {
    session: { speech: 'sdk' },
    beats: { speech: 'beats' },
    curl: { speech: 'curl' },
    consumer: {},
  },
  faults: [
    { at: 40_000, kind: 'stall', ms: 8_500 },
    { at: 70_000, kind: 'stall', ms: 60_000 },
  ],
  healAt: 140_000,
  mutation: 'no-stall-shift',
  finds: 'I1',
}
