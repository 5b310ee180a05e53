/** A node is replaced by one with an empty disk while the engine is away. */
import type { Case } from '../case.js'

/** Schedule F24: it takes registrations and beats from the first moment, and is asked for no list before it has seen the engine. */
export const newNodeWithoutEngine: Case = {
  nodes: 3,
  programs: { first: { speech: 'sdk' }, second: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 20_000, kind: 'engineDown', ms: 60_000 },
    { at: 22_000, kind: 'replace', node: 2, downMs: 1_000 },
  ],
  mutation: 'empty-node-serves',
  finds: 'I24',
}
