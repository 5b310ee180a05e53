/** Subscribers with the SDK, in one other process: whatever dies, none of them must ever see a list without one that lives. */
import { once } from 'node:events'
import { start } from './processes.js'

export interface WatchersOptions {
  readonly registries: readonly string[]
  readonly subscribers: number
  /** Each watches one of them, in turn. */
  readonly services: readonly string[]
  /** Instances of each service that live. */
  readonly expected: number
}

/** What they saw so far. */
export interface Watched {
  readonly lists: number
  /** Fewest instances of a service that were up in one of them, since they were asked last; `expected` at most. */
  readonly fewest: number
  /** Since they were asked last. */
  readonly faults: readonly string[]
  /** Subscribers that have a session now. */
  readonly connected: number
}

/** Starts them, and resolves when each has its list. `command`: what runs them, such as another host's. */
export async function startWatchers(
  options: WatchersOptions,
  command: readonly string[] = [],
): Promise<() => Promise<Watched>> {
  const child = await start({ script: 'watchers-child.mjs', command }, JSON.stringify(options))
  return async () => {
    const answer = once(child.process, 'message')
    child.process.send('tell')
    return ((await answer) as [Watched])[0]
  }
}
