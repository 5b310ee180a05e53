/** Programs register and leave while the engine is slow. */
import type { Case } from '../case.js'

/** Schedule F10: what is acknowledged as replicated stands in the engine at that moment. */
export const replicatedIsHeld: Case = {
  nodes: 3,
  programs: { first: { speech: 'static', startAt: 20_000 }, leaving: { speech: 'beats' }, consumer: {} },
  faults: [
    { at: 15_000, kind: 'engineSlow', byMs: 200, ms: 20_000, all: true },
    { at: 25_000, kind: 'leave', program: 'leaving' },
  ],
  mutation: 'replicated-too-early',
  finds: 'I8',
}
