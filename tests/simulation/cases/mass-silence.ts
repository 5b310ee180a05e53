/** F5: most of a service is unreachable at once. Some may be dead; all of them are not believed to be. */
import type { Case } from '../case.js'

export const massSilence: Case = {
  programs: {
    ...Object.fromEntries(
      ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => [name, { speech: 'sdk' } as const]),
    ),
    consumer: {},
  },
  faults: [1, 2, 3, 4].map((host) => ({
    at: 40_000 + host,
    kind: 'isolate' as const,
    host: `10.1.0.${host}`,
    ms: 90_000,
  })),
  healAt: 130_000,
  mutation: 'silence-takes-all',
  finds: 'I4',
}
