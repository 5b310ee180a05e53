/** F7: a copy of the registration of a process that is gone arrives after that of its successor. */
import type { Case } from '../case.js'

export const lateCopy: Case = {
  programs: { provider: { speech: 'beats', startAt: 20_000 }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 15_000, kind: 'copies', rate: 1, delayMs: 20_000, ms: 40_000 },
    { at: 22_000, kind: 'kill', program: 'provider', downMs: 500 },
  ],
  healAt: 60_000,
  mutation: 'arrival-order',
  finds: 'I3',
}
