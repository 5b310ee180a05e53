import type { Case } from '../case.js'

/**
 * Seed 2168. Node and process restart, the process with a clock that went back. Its number is lower than that of its
 * dead predecessor, whom the node knows from the journal only, as up, and whom it believes alive because the port
 * answers: that of the newcomer. It was told that the id is taken, for ten minutes.
 */
export const ghostAtTheOwnAddress: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'crash', downMs: 2_000 },
    { at: 30_500, kind: 'kill', program: 'provider', downMs: 3_000, clockMs: -3_600_000 },
  ],
  healAt: 60_000,
  mutation: 'ghost-keeps-address',
  finds: 'I1',
}
