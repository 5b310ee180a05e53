/**
 * F17: a service empties because every instance deregisters. None may be kept as a last resort, least of all where
 * another process answers at the address by then.
 */
import type { Case } from '../case.js'

export const lastToLeave: Case = {
  programs: { first: { speech: 'sdk' }, second: { speech: 'sdk' }, third: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'leave', program: 'first' },
    { at: 32_000, kind: 'leave', program: 'second' },
    { at: 34_000, kind: 'leave', program: 'third' },
    { at: 34_050, kind: 'squat', program: 'third', ms: 20_000 },
  ],
  mutation: 'reasons-lost',
  finds: 'I3',
}
