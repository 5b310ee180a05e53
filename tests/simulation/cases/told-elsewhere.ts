/** Those who call a killed process tell of it at another node than its judge. */
import type { Case } from '../case.js'

/** Each provider has its own node to judge it, so that the consumer's is the judge of one at most. */
export const toldElsewhere: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'beats', leaseMs: 60_000 },
    second: { speech: 'beats', leaseMs: 60_000 },
    third: { speech: 'beats', leaseMs: 60_000 },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 30_000, kind: 'kill', program: 'first' },
    { at: 60_000, kind: 'kill', program: 'second' },
  ],
  healAt: 90_000,
  mutation: 'hints-lost',
  finds: 'I16',
}
