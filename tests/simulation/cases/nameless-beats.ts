/** F7, M3: a curl loop goes on beating for an id that a named process took over and died with. */
import type { Case } from '../case.js'

export const namelessBeats: Case = {
  programs: {
    curl: { speech: 'curl', id: 'orders-1', contested: true },
    successor: { speech: 'sdk', id: 'orders-1', contested: true, startAt: 12_000 },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [{ at: 20_000, kind: 'kill', program: 'successor', downMs: 60_000 }],
  healAt: 90_000,
  mutation: 'nameless-beat-vouches',
  finds: 'I2',
}
