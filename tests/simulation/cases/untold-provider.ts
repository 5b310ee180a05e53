/** F11: an operator takes out a living process by mistake. It hears of it, and is back after the hold-off. */
import type { Case } from '../case.js'

export const untoldProvider: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [{ at: 30_000, kind: 'deregister', program: 'provider', index: 0, named: true }],
  mutation: 'removed-untold',
  finds: 'I1',
}
