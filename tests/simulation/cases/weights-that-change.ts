/** An update that is acknowledged is listed, whatever comes after it. */
import type { Case } from '../case.js'

export const weightsThatChange: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [10, 20, 30].map((weight) => ({
    at: 20_000 + weight * 100,
    kind: 'update' as const,
    program: 'provider',
    index: 0,
    weight,
  })),
  mutation: 'weight-lost',
  finds: 'I13',
}
