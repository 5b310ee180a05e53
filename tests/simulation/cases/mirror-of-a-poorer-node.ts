/** F8: the node lost what it had only in memory. What it shows then is right, however much more the client remembers. */
import type { Case } from '../case.js'

export const mirrorOfAPoorerNode: Case = {
  programs: {
    provider: { speech: 'sdk', startAt: 15_000 },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 10_000, kind: 'disk', ms: 20_000 },
    { at: 25_000, kind: 'kill', program: 'provider', downMs: 90_000 },
    { at: 25_100, kind: 'crash', downMs: 500 },
  ],
  healAt: 90_000,
  mutation: 'merging-client',
  finds: 'I5',
}
