/** One node of three has lost the engine, and hears the others. */
import type { Case } from '../case.js'

/** Schedule F25: it says that it should not be asked, so that no client reads two truths in turn. */
export const islandAmongPeers: Case = {
  nodes: 3,
  programs: { first: { speech: 'sdk' }, second: { speech: 'beats' }, consumer: {} },
  faults: [{ at: 20_000, kind: 'engineCut', node: 1, ms: 60_000 }],
  healAt: 80_000,
  mutation: 'island-offers-itself',
  finds: 'I24',
}
