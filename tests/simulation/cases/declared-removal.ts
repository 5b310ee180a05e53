/** A service with a removal time of its own: longer than that of the node, then shorter. */
import type { Case } from '../case.js'

export const declaredRemoval: Case = {
  programs: {
    provider: { speech: 'sdk' },
    second: { speech: 'sdk' },
    third: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 20_000, kind: 'declare', service: 'orders', removalMs: 30_000 },
    { at: 22_000, kind: 'kill', program: 'provider' },
    { at: 56_000, kind: 'declare', service: 'orders', removalMs: 5_000 },
    { at: 57_000, kind: 'kill', program: 'second' },
  ],
  liveness: { removalMs: 20_000 },
  healAt: 58_000,
  quietMs: 30_000,
  mutation: 'declared-removal-ignored',
  finds: 'I17',
}
