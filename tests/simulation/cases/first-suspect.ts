/** A tick of the node that fails is no quiet end. */
import type { Case } from '../case.js'

export const firstSuspect: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [{ at: 20_000, kind: 'hang', program: 'provider', ms: 15_000 }],
  healAt: 40_000,
  mutation: 'tick-fails',
  finds: 'I0',
}
