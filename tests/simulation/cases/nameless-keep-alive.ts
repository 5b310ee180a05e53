/** F7: a loop that registers without incarnation as a keep-alive renews; it does not make an instance a minute. */
import type { Case } from '../case.js'

export const namelessKeepAlive: Case = {
  programs: { curl: { speech: 'curl', renews: true }, consumer: {} },
  faults: [{ at: 40_000, kind: 'crash', downMs: 2_000 }],
  mutation: 'nameless-renewal-is-new',
  finds: 'I7',
}
