/** A node dies for good, and those that it judged live on. */
import type { Case } from '../case.js'

/** Schedule F3: who takes over has not heard them all, and listens first. Beats come to the others all the time. */
export const adoptedUnheard: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'beats' },
    second: { speech: 'beats' },
    third: { speech: 'beats' },
    fourth: { speech: 'beats' },
    consumer: {},
  },
  faults: [0, 1, 2].map((node) => ({
    at: 20_000 + node * 70_000,
    kind: 'crash' as const,
    node,
    downMs: 30_000,
  })),
  mutation: 'adopter-does-not-listen',
  finds: 'I1',
}
