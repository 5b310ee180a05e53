/** A machine dies, with a node on it and the programs that it judged. */
import type { Case } from '../case.js'

/** Schedules M1 and F13: the node comes back on another machine much later; by then the dead have long been found. */
export const lostWithItsInstances: Case = {
  nodes: 3,
  programs: {
    dead: { speech: 'sdk', host: '10.0.0.1' },
    beating: { speech: 'beats', host: '10.0.0.1' },
    living: { speech: 'sdk' },
    other: { speech: 'beats' },
    consumer: {},
  },
  faults: [
    { at: 20_000, kind: 'kill', program: 'dead' },
    { at: 20_000, kind: 'kill', program: 'beating' },
    { at: 20_000, kind: 'replace', node: 0, downMs: 30_000 },
    { at: 20_000, kind: 'replace', node: 1, downMs: 30_000 },
    { at: 20_000, kind: 'replace', node: 2, downMs: 500 },
  ],
  mutation: 'orphans-unjudged',
  finds: 'I2',
}
