/** G2: kill -9, on a host that lives and on one that is silent the next moment. */
import type { Case } from '../case.js'

export const killedProcess: Case = {
  programs: { first: { speech: 'sdk' }, second: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 30_000, kind: 'kill', program: 'first', downMs: 10_000 },
    { at: 50_000, kind: 'power', host: '10.1.0.2', ms: 40_000 },
    { at: 70_000, kind: 'kill', program: 'first', downMs: 10_000 },
  ],
  healAt: 100_000,
  mutation: 'close-unnoticed',
  finds: 'I2',
}
