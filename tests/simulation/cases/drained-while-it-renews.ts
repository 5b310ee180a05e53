/** What is to drain goes on renewing, and changes what it says of itself. */
import type { Case } from '../case.js'

export const drainedWhileItRenews: Case = {
  programs: { script: { speech: 'curl', renews: true }, provider: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'override', program: 'script', index: 0, drain: true },
    { at: 20_000, kind: 'override', program: 'provider', index: 0, drain: true },
    { at: 21_000, kind: 'update', program: 'provider', index: 0, weight: 20 },
  ],
  healAt: 22_000,
  quietMs: 30_000,
  mutation: 'renewal-clears',
  finds: 'I19',
}
