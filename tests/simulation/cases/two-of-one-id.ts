/** F11, M2: two living processes are configured with one id. The second is told so, and waits; they do not take turns. */
import type { Case } from '../case.js'

export const twoOfOneId: Case = {
  programs: {
    first: { speech: 'sdk', id: 'orders-1', contested: true },
    second: { speech: 'beats', id: 'orders-1', contested: true, startAt: 10_000 },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [{ at: 30_000, kind: 'kill', program: 'first', downMs: 1_000, clockMs: -3_600_000 }],
  quietMs: 300_000,
  mutation: 'id-never-taken',
  finds: 'I12',
}
