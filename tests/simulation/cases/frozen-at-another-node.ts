/** An operator freezes at one node, and declares at another. */
import type { Case } from '../case.js'

/** Schedule F21: declarations and freezes are one truth, whichever node they were given to. */
export const frozenAtAnotherNode: Case = {
  nodes: 3,
  programs: { first: { speech: 'sdk' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'freeze', node: 1, namespace: 'default' },
    { at: 25_000, kind: 'declare', node: 2, service: 'orders', removalMs: 20_000 },
    { at: 40_000, kind: 'unfreeze', node: 0, namespace: 'default' },
  ],
  mutation: 'declarations-stay-home',
  finds: 'I19',
}
