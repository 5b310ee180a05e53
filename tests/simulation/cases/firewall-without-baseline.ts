/**
 * F4: a firewall refuses on behalf of a host that was behind it from the first day. All sessions close because of the
 * node's own trouble; refusals are no evidence where no connection ever succeeded.
 */
import type { Case } from '../case.js'

export const firewallWithoutBaseline: Case = {
  programs: {
    first: { speech: 'sdk', startAt: 15_000 },
    second: { speech: 'sdk', startAt: 15_000 },
    consumer: {},
  },
  faults: [
    { at: 10_000, kind: 'firewall', host: '*', ms: 90_000 },
    // It ends in the pause of clients after an attempt that they gave up; what they could still tell the node was lost.
    { at: 50_000, kind: 'stall', ms: 22_600 },
    { at: 51_000, kind: 'reset', program: 'first' },
    { at: 51_000, kind: 'reset', program: 'second' },
  ],
  healAt: 100_000,
  mutation: 'no-baseline-needed',
  finds: 'I1',
}
