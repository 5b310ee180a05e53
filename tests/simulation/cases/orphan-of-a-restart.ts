/** M1: node and provider die together. The node that starts never heard the provider, and must doubt it all the same. */
import type { Case } from '../case.js'

export const orphanOfARestart: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'crash', downMs: 3_000 },
    { at: 30_500, kind: 'kill', program: 'provider', downMs: 120_000 },
  ],
  healAt: 120_000,
  mutation: 'unheard-trusted',
  finds: 'I2',
}
