/** The judge of an instance does not hear the other nodes, to which most of its beats come. */
import type { Case } from '../case.js'

/** Schedule F12 with links down: it doubts, and a node that hears better reverses that, so that nothing goes down. */
export const judgeApart: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'beats', probed: false },
    second: { speech: 'beats', probed: false },
    third: { speech: 'beats', probed: false },
    consumer: {},
  },
  faults: [
    { at: 20_000, kind: 'peerCut', node: 0, other: 1, ms: 40_000 },
    { at: 20_000, kind: 'peerCut', node: 0, other: 2, ms: 40_000 },
    { at: 20_000, kind: 'peerCut', node: 1, other: 2, ms: 40_000 },
  ],
  healAt: 60_000,
  mutation: 'doubt-stays',
  finds: 'I1',
}
