/** T20: nothing expires while a namespace is frozen, nor is anything taken out by host; then it does. */
import type { Case } from '../case.js'

export const frozenDay: Case = {
  programs: {
    provider: { speech: 'sdk' },
    silent: { speech: 'beats', probed: false },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [
    { at: 20_000, kind: 'freeze', namespace: 'default' },
    { at: 22_000, kind: 'kill', program: 'provider' },
    { at: 22_000, kind: 'kill', program: 'silent' },
    { at: 24_000, kind: 'evict', host: '10.1.0.3' },
    { at: 26_000, kind: 'crash', downMs: 500 },
    { at: 60_000, kind: 'unfreeze', namespace: 'default' },
  ],
  liveness: { removalMs: 10_000 },
  healAt: 61_000,
  quietMs: 30_000,
  mutation: 'freeze-holds-nothing',
  finds: 'I21',
}
