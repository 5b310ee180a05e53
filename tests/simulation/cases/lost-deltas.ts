/** Watches lie sometimes. A list that does not add up is asked for again. */
import type { Case } from '../case.js'

export const lostDeltas: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: Array.from({ length: 20 }, (_, index) => ({
    at: 20_000 + index * 1_000,
    kind: 'update' as const,
    program: 'provider',
    index: 0,
    weight: 1 + index,
  })),
  mutation: 'sums-unchecked',
  finds: 'I5',
}
