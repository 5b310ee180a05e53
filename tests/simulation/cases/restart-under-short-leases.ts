/** Silence before the node's own start is not silence: clients need a few seconds to be back. */
import type { Case } from '../case.js'

export const restartUnderShortLeases: Case = {
  programs: {
    first: { speech: 'sdk', leaseMs: 6_000, probed: false },
    second: { speech: 'sdk', leaseMs: 6_000, probed: false },
    third: { speech: 'sdk', leaseMs: 6_000, probed: false },
    consumer: {},
  },
  faults: [20_000, 80_000].map((at) => ({ at, kind: 'crash', downMs: 30_000 }) as const),
  healAt: 120_000,
  mutation: 'loaded-counts-as-heard',
  finds: 'I1',
}
