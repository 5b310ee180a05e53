/** T5: a process that stands still again and again, a few seconds at a time. */
import type { Case } from '../case.js'

export const onAndOff: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [0, 1, 2, 3].map((round) => ({
    at: 20_000 + round * 14_000,
    kind: 'hang' as const,
    program: 'provider',
    ms: 10_500,
  })),
  healAt: 80_000,
  mutation: 'no-damping',
  finds: 'I15',
}
