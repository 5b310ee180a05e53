/** F21: the wall clock of the node goes back a day, and the later order still is the one that stands. */
import type { Case } from '../case.js'

export const clockBehindAnOrder: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'override', program: 'provider', index: 0, drain: true },
    { at: 21_000, kind: 'clock', target: 'registry', byMs: -24 * 3_600_000 },
    { at: 22_000, kind: 'override', program: 'provider', index: 0, disable: true },
    { at: 24_000, kind: 'crash', downMs: 500 },
    { at: 30_000, kind: 'clear', program: 'provider', index: 0 },
  ],
  healAt: 31_000,
  quietMs: 30_000,
  mutation: 'older-register-wins',
  finds: 'I19',
}
