/** F1: the copy comes late, and the deregistration has to be remembered until then. */
import type { Case } from '../case.js'

export const shortMemory: Case = {
  programs: { provider: { speech: 'beats', startAt: 20_000 }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 15_000, kind: 'copies', rate: 1, delayMs: 20_000, ms: 40_000 },
    { at: 22_000, kind: 'leave', program: 'provider' },
  ],
  healAt: 60_000,
  liveness: { retentionMs: 60_000 },
  mutation: 'short-retention',
  finds: 'I3',
}
