/** F20: who is killed and not started again leaves the list after the removal time. */
import type { Case } from '../case.js'

export const killedForGood: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [{ at: 30_000, kind: 'kill', program: 'provider' }],
  healAt: 31_000,
  liveness: { removalMs: 20_000 },
  mutation: 'down-for-ever',
  finds: 'I17',
}
