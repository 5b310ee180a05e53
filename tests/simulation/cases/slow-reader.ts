/** A consumer reads nothing while a list changes more than its buffer holds; when it reads again, it has the newest. */
import type { Case } from '../case.js'

export const slowReader: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'hang', program: 'consumer', ms: 5_000 },
    ...Array.from({ length: 30 }, (_, index) => ({
      at: 30_100 + index * 100,
      kind: 'update' as const,
      program: 'provider',
      index: 0,
      weight: 1 + index,
    })),
  ],
  mutation: 'slow-forgotten',
  finds: 'I5',
}
