/** F4: a process dies and something else gets its port. An answer from there is none of the instance. */
import type { Case } from '../case.js'

export const strangerOnThePort: Case = {
  programs: { provider: { speech: 'beats' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 40_000, kind: 'kill', program: 'provider', downMs: 90_000 },
    { at: 40_001, kind: 'squat', program: 'provider', ms: 90_000 },
  ],
  healAt: 120_000,
  mutation: 'kernel-is-process',
  finds: 'I2',
}
