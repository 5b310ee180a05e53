/** Calls that go on while something is done to those who answer. */
import { until } from './processes.js'

/** Calls under way at the same time. */
const CALLERS = 4

/** A load that runs until its end. */
export interface Load {
  /** Who answered how often. */
  readonly answers: ReadonlyMap<string, number>
  /** What failed so far. */
  readonly failures: readonly string[]
  /** Waits until so many more calls were answered. */
  more(calls: number): Promise<unknown>
  /** Ends it and resolves to what failed. */
  end(): Promise<string[]>
}

/** Starts callers that call again as soon as they are answered; `call` resolves to who answered. */
export function startLoad(call: () => Promise<string>): Load {
  const answers = new Map<string, number>()
  const failures: string[] = []
  let [answered, running] = [0, true]
  const caller = async (): Promise<void> => {
    while (running) {
      try {
        const who = await call()
        answers.set(who, (answers.get(who) ?? 0) + 1)
        answered += 1
      } catch (error) {
        failures.push(String(error))
        // Failures come at once; without a pause they would be all that happens.
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  const callers = Array.from({ length: CALLERS }, caller)
  return {
    answers,
    failures,
    more: (calls) => {
      const goal = answered + calls
      return until(() => answered >= goal || failures.length > 0, `${calls} more calls are answered`)
    },
    async end() {
      running = false
      await Promise.all(callers)
      return failures
    },
  }
}
