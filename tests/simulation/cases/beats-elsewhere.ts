/** The beats of a program always come to another node than its judge. */
import type { Case } from '../case.js'

/** They are passed on: as many programs as nodes beat in the same rhythm, so that each has its own node. */
export const beatsElsewhere: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'beats', probed: false },
    second: { speech: 'beats', probed: false },
    third: { speech: 'beats', probed: false },
    consumer: {},
  },
  faults: [],
  healAt: 40_000,
  mutation: 'hearsay-lost',
  finds: 'I1',
}
