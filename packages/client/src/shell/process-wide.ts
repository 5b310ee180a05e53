/** What all copies of this package in one process share: its ES modules, its CommonJS build, and those of other packages. */
import type { Incarnations } from '../machine/incarnation.js'
import { createIncarnations } from '../machine/incarnation.js'
import { firstIncarnation } from './clock.js'

/** Where it stands. The number goes up when what stands there changes its form, so that older copies do not meet it. */
const PLACE = Symbol.for('rollcall.client.process/1')

/** The form of version 1. */
interface ProcessWide {
  readonly incarnations: Incarnations
}

/** One sequence for the whole process: two clients of it never use the same number, whichever build they are of. */
export function incarnationsOfProcess(): Incarnations {
  const world = globalThis as { [PLACE]?: ProcessWide }
  world[PLACE] ??= { incarnations: createIncarnations(firstIncarnation()) }
  return world[PLACE].incarnations
}
