/** A node and one host are cut off from everything for the length of three leases. */
import type { Case } from '../case.js'

/** Schedule T19: what it judged is doubted by it, and not taken down; when it is back all are there. */
export const aloneForAWhile: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'beats', probed: false },
    second: { speech: 'beats', probed: false },
    third: { speech: 'beats', probed: false },
    fourth: { speech: 'beats', probed: false },
    consumer: {},
  },
  faults: [0, 1, 2].map((node) => ({
    at: 20_000 + node * 80_000,
    kind: 'rack' as const,
    node,
    hosts: ['10.1.0.1'],
    ms: 45_000,
  })),
  mutation: 'island-judges',
  finds: 'I1',
}
