/** F14: a provider leaves while a consumer stands still for a moment. */
import type { Case } from '../case.js'

export const leavingASlowReader: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 40_000, kind: 'hang', program: 'consumer', ms: 800 },
    { at: 40_020, kind: 'leave', program: 'provider' },
  ],
  healAt: 60_000,
  mutation: 'settled-at-once',
  finds: 'I18',
}
