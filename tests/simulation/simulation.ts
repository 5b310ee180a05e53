/** Runs a scenario, and shrinks one that fails. */
import { InvariantViolation } from './invariants/invariant.js'
import { invariantsOf } from './invariants/index.js'
import { type Scenario, scenarioOf } from './scenario.js'
import type { Sabotage } from './world/sabotage.js'
import { World } from './world/world.js'

/** How a run ended. */
export interface RunResult {
  readonly scenario: Scenario
  /** Absent when every invariant held. */
  readonly failure?: RunFailure
  /** Events that happened. */
  readonly events: number
}

export interface RunFailure {
  /** Name of the invariant, or `I0 no crash` for an unexpected error. */
  readonly invariant: string
  readonly message: string
}

export interface RunOptions {
  readonly sabotage?: Sabotage
  /** Of a seed, other than it has by itself. */
  readonly clusters?: number
  readonly nodes?: number
  /** Takes each line of the transcript. */
  readonly transcript?: (line: string) => void
}

/** Runs one scenario, or the scenario of a seed. The same input ends in the same way, always. */
export async function simulate(
  input: Scenario | number | string,
  options: RunOptions = {},
): Promise<RunResult> {
  const scenario = typeof input === 'object' ? input : scenarioOf(input, options)
  const world = new World(scenario, options)
  world.watch(invariantsOf(world.sides.map(({ nodes }) => nodes)))
  try {
    await world.run()
    return { scenario, events: world.queue.count }
  } catch (error) {
    return { scenario, failure: failureOf(error), events: world.queue.count }
  }
}

function failureOf(error: unknown): RunFailure {
  if (error instanceof InvariantViolation) return { invariant: error.invariant, message: error.message }
  return {
    invariant: 'I0 no crash',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}

/**
 * Leaves out faults, then programs, as long as the same invariant still fails: first halves, then smaller parts, then
 * single ones. At most `runsMax` runs.
 */
export async function shrink(
  scenario: Scenario,
  options: RunOptions = {},
  runsMax: number = 500,
): Promise<RunResult> {
  let best = await simulate(scenario, options)
  const invariant = best.failure?.invariant
  let runs = 0
  /** Whether it still fails without this; if so, it is the best so far. */
  const without = async (smaller: Scenario): Promise<boolean> => {
    runs++
    const result = await simulate(smaller, options)
    if (result.failure?.invariant !== invariant) return false
    best = result
    return true
  }
  const leaveOut = async (
    count: () => number,
    rest: (start: number, size: number) => Scenario,
  ): Promise<void> => {
    for (let size = Math.ceil(count() / 2); size >= 1; size >>= 1) {
      for (let start = 0; start < count() && runs < runsMax;) {
        if (!(await without(rest(start, size)))) start += size
      }
    }
  }
  if (invariant === undefined) return best
  await leaveOut(
    () => best.scenario.faults.length,
    (start, size) => ({ ...best.scenario, faults: cut(best.scenario.faults, start, size) }),
  )
  await leaveOut(
    () => best.scenario.programs.length,
    (start, size) => withPrograms(best.scenario, cut(best.scenario.programs, start, size)),
  )
  return best
}

function cut<T>(list: readonly T[], start: number, size: number): T[] {
  return [...list.slice(0, start), ...list.slice(start + size)]
}

/** Only these programs, and what happens to them. */
function withPrograms(scenario: Scenario, programs: Scenario['programs']): Scenario {
  const names = new Set(programs.map(({ name }) => name))
  const faults = scenario.faults.filter(
    (fault) =>
      (!('program' in fault) || names.has(fault.program)) &&
      (!('target' in fault) || fault.target === 'registry' || names.has(fault.target)),
  )
  return { ...scenario, programs, faults }
}
