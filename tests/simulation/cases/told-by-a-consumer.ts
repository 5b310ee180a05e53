/** T7: a killed process that beats is found by those who call it, long before half its lease is over. */
import type { Case } from '../case.js'

export const toldByAConsumer: Case = {
  programs: {
    provider: { speech: 'beats', leaseMs: 30_000 },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [{ at: 30_000, kind: 'kill', program: 'provider' }],
  healAt: 60_000,
  mutation: 'hints-ignored',
  finds: 'I16',
}
