/** A consumer with the SDK in another process, which calls services all the time. */
import { once } from 'node:events'
import { start } from './processes.js'

export interface CallerOptions {
  readonly registries: readonly string[]
  readonly services: readonly string[]
  /** Calls under way at the same time. */
  readonly callers: number
}

/** What came of its calls so far. */
export interface Called {
  readonly calls: number
  readonly slowestMs: number
  /** Since it was asked last. */
  readonly failures: readonly string[]
}

/** Starts it, and resolves when it knows all services. `command`: what runs it, such as another host's. */
export async function startCaller(
  options: CallerOptions,
  command: readonly string[] = [],
): Promise<() => Promise<Called>> {
  const child = await start({ script: 'caller-child.mjs', command }, JSON.stringify(options))
  return async () => {
    const answer = once(child.process, 'message')
    child.process.send('tell')
    return ((await answer) as [Called])[0]
  }
}
