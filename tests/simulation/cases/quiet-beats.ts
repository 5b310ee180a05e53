/** G7: a day of beats, in trouble and out of it, and not one of them is written down. */
import type { Case } from '../case.js'

export const quietBeats: Case = {
  programs: {
    first: { speech: 'beats' },
    second: { speech: 'beats' },
    curl: { speech: 'curl' },
    consumer: {},
  },
  faults: [{ at: 30_000, kind: 'loss', rate: 0.3, ms: 20_000 }],
  mutation: 'beats-write',
  finds: 'I7',
}
