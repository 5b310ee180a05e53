/** F2: a provider drains, is silent for a while, and returns. What it said of itself is not forgotten over the doubt. */
import type { Case } from '../case.js'

export const drainingThroughSilence: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'update', program: 'provider', index: 0, intent: 'draining' },
    { at: 30_000, kind: 'isolate', host: '10.1.0.1', ms: 20_000 },
  ],
  healAt: 60_000,
  mutation: 'verdict-takes-content',
  finds: 'I11',
}
