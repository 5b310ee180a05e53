import type { Case } from '../case.js'

/**
 * Seed 186. The network is so slow that the client gives its connection up and opens another. The words that it said
 * on the first one arrive after those on the second: hello, register, goodbye. The instance went over to the
 * connection that was spoken on last, which then closed; the one that pings on was nobody's. Suspect for good, then
 * down, with a session open.
 */
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
