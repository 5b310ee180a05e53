import type { JournalEntry, RegistryApi } from '@rollcall/core'
import type {
  DeregisterResponse,
  HeartbeatResponse,
  Instance,
  RegisterResult,
  ResolvedRef,
} from '@rollcall/wire'
import type { NodeDriver } from '@rollcall/server'
import type { SimJournal } from './journal.js'

type RegisterCommands = Parameters<RegistryApi['register']>[0]

/** Who is told what a node did. */
export interface Witness {
  booted(entries: readonly JournalEntry[]): void
  ended(): void
  /** `before`: what was listed under the key of each command. `written`: entries that the call made the node write. */
  registered(
    commands: RegisterCommands,
    results: readonly RegisterResult[],
    before: readonly (Instance | undefined)[],
    written: number,
  ): void
  deregistered(response: DeregisterResponse): void
  /** `written`: entries that the beat made the node write. */
  beaten(
    refs: readonly ResolvedRef[],
    response: HeartbeatResponse,
    states: readonly string[],
    written: number,
  ): void
}

/**
 * The driver as its callers see it, with a witness that hears what is answered. Everything else goes straight to
 * the driver, whose methods belong to it alone.
 */
export function witnessed(driver: NodeDriver, journal: SimJournal, witness: Witness): RegistryApi {
  const overrides: Partial<RegistryApi> = {
    async register(commands, origin, options) {
      const before = commands.map((command) => driver.instance(command))
      const appended = journal.appended
      const answer = driver.register(commands, origin, options)
      const written = journal.appended - appended
      const results = await answer
      witness.registered(commands, results, before, written)
      return results
    },
    async deregister(refs, origin, options) {
      const response = await driver.deregister(refs, origin, options)
      witness.deregistered(response)
      return response
    },
    async deregisterHost(request, origin, options) {
      const response = await driver.deregisterHost(request, origin, options)
      witness.deregistered(response)
      return response
    },
    heartbeat(refs, origin) {
      const states = refs.map((ref) => driver.instance(ref)?.state ?? 'hidden')
      const before = journal.appended
      const response = driver.heartbeat(refs, origin)
      witness.beaten(refs, response, states, journal.appended - before)
      return response
    },
  }
  return new Proxy(driver, {
    get(target, name) {
      const own: unknown = Reflect.get(overrides, name)
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
