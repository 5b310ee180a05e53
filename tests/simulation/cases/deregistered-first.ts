/** F7: the registration is lost on its way, the deregistration is not, and a copy of the first comes last. */
import type { Case } from '../case.js'

export const deregisteredFirst: Case = {
  programs: { provider: { speech: 'beats', startAt: 20_000 }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 15_000, kind: 'copies', rate: 1, delayMs: 20_000, ms: 40_000 },
    { at: 15_000, kind: 'loss', rate: 0.7, ms: 10_000 },
    { at: 21_000, kind: 'leave', program: 'provider' },
  ],
  healAt: 60_000,
  mutation: 'unknown-gone-ignored',
  finds: 'I3',
}
