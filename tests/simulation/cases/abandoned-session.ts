import type { Case } from '../case.js'

/**
 * Seed 186. The network is so slow that the client gives its connection up and opens another. The words that it said
 * on the first one arrive after those on the second: hello, register, goodbye. The instance went over to the
 * connection that was spoken on last, which then closed; the one that pings on was nobody's. Suspect for good, then
 * down, with a session open.
 */
export const abandonedSession: Case = {
  seed: '1',
  programs: { provider: { speech: 'sdk' }, other: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'slow', byMs: 1_800, ms: 25_000 },
    { at: 20_100, kind: 'reset', program: 'provider' },
    { at: 32_000, kind: 'reset', program: 'provider' },
  ],
  healAt: 50_000,
  mutation: 'last-session-wins',
  finds: 'I1',
}
