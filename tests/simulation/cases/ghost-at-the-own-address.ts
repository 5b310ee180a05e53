/**
 * Seed 2168. Node and process restart, the process with a clock that went back. Its number is lower than that of its
 * dead predecessor, which the node knows from the journal only, as up, and believes alive because the port answers:
 * that of the newcomer. For ten minutes the newcomer was told that the id is taken.
 */
import type { Case } from '../case.js'

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
