/** Named bad days: schedules that broke a design, a model or a build of ours once. */
import type { ScenarioSketch } from './index.js'

/** A schedule that holds, and the planted bug under which it does not: so each case is known to be able to fail. */
export interface Case extends Omit<ScenarioSketch, 'seed'> {
  /** Name of the mutation that it finds. */
  readonly mutation: string
  /** The invariant that then fails, by its number. */
  readonly finds: string
}

/**
 * A case is lived through with each of these seeds: who loses a race differs. It holds under all of them, and the
 * planted bug shows under one at least.
 */
export const CHANCES: readonly string[] = Array.from({ length: 10 }, (_, index) => String(index + 1))
