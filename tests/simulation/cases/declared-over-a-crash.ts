/** Declarations and freezes stand after a crash of the node, and what was taken back of them does not. */
import type { Case } from '../case.js'

export const declaredOverACrash: Case = {
  programs: { provider: { speech: 'sdk' }, other: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'declare', service: 'orders', removalMs: 20_000 },
    { at: 20_000, kind: 'declareNamespace', allow: '10.0.0.0/8' },
    { at: 20_000, kind: 'freeze', namespace: 'default' },
    { at: 20_000, kind: 'freeze', namespace: '*' },
    { at: 21_000, kind: 'unfreeze', namespace: '*' },
    { at: 22_000, kind: 'crash', downMs: 500 },
  ],
  healAt: 23_000,
  quietMs: 30_000,
  mutation: 'declarations-not-recovered',
  finds: 'I19',
}
