/** F9: two lists that differ in anything have two signs. */
import type { Case } from '../case.js'

export const updatesInARow: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [10, 20].map((weight) => ({
    at: 20_000 + weight * 100,
    kind: 'update' as const,
    program: 'provider',
    index: 0,
    weight,
  })),
  mutation: 'digest-kept',
  finds: 'I6',
}
