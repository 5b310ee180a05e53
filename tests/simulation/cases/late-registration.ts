/** F7: a copy of the registration arrives after the deregistration of the same incarnation. */
import type { Case } from '../case.js'

export const lateRegistration: Case = {
  programs: { provider: { speech: 'beats', startAt: 20_000 }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 15_000, kind: 'copies', rate: 1, delayMs: 20_000, ms: 40_000 },
    { at: 22_000, kind: 'leave', program: 'provider' },
  ],
  healAt: 60_000,
  mutation: 'gone-returns',
  finds: 'I3',
}
