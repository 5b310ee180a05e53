/** T9: five hosts of twelve fall silent at once: more likely the registry is deaf than they are dead. */
import type { Case } from '../case.js'

export const manyGoneQuiet: Case = {
  programs: {
    ...Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`p${index}`, { speech: 'sdk' } as const]),
    ),
    consumer: {},
  },
  faults: [1, 2, 3, 4, 5, 6, 7].map((host) => ({
    at: 40_000,
    kind: 'isolate' as const,
    host: `10.1.0.${host}`,
    ms: 15_000,
  })),
  healAt: 60_000,
  mutation: 'mass-believed',
  finds: 'I14',
}
