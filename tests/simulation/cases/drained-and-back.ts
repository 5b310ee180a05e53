/** What an operator wants is what consumers see, and its end as well. */
import type { Case } from '../case.js'

export const drainedAndBack: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'override', program: 'provider', index: 0, drain: true },
    { at: 25_000, kind: 'override', program: 'provider', index: 0, disable: true },
    { at: 30_000, kind: 'clear', program: 'provider', index: 0 },
  ],
  healAt: 31_000,
  quietMs: 30_000,
  mutation: 'wishes-unshown',
  finds: 'I20',
}
