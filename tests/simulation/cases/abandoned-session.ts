/**
 * Seed 186. The network is so slow that the client gives its connection up and opens another. What it sent on the
 * first one arrives after what it sent on the second: hello, register, close. The instance went over to the session
 * whose registration arrived last, which then closed; the one that pings on had none. Suspect for good, then
 * down, with a session open.
 */
import type { Case } from '../case.js'

export const abandonedSession: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'reset', program: 'provider' },
    // The first attempt meets it, and is given up after 3 s; the second does not.
    { at: 20_000.1, kind: 'slow', byMs: 2_000, ms: 2_900 },
  ],
  mutation: 'last-session-wins',
  finds: 'I1',
}
