/** Beats come to all nodes in turn, to the judge only sometimes. */
import type { Case } from '../case.js'

/** Schedule F12: no beat takes an instance over from the node that judges it, and the engine has nothing to do. */
export const beatsBehindABalancer: Case = {
  nodes: 3,
  programs: {
    first: { speech: 'beats' },
    second: { speech: 'beats' },
    third: { speech: 'curl' },
    consumer: {},
  },
  faults: [],
  healAt: 30_000,
  mutation: 'beats-claim',
  finds: 'I7',
}
