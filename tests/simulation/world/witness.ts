/** Hears what a node did, at the one door through which everything goes. */
import type { Caller, Command, CommandKind, CommandOf, Done, JournalEntry, Registry } from '@rollcall/core'
import type { Durability, HeartbeatResponse, Instance, ResolvedRef } from '@rollcall/wire'
import type { NodeDriver } from '@rollcall/server'
import { ONLOOKER } from './callers.js'
import type { SimJournal } from './journal.js'

/** A command that was done, with its answer. */
export type Executed = {
  [K in CommandKind]: Done<K> & { readonly kind: K; readonly command: CommandOf<K> }
}[CommandKind]

/** What is told what a node did. */
export interface Witness {
  booted(entries: readonly JournalEntry[]): void
  ended(): void
  /** A command was done, and is not acknowledged yet. */
  executing(command: Command): void
  /** It was acknowledged, after `executed`, or refused. */
  over(command: Command): void
  /** `before`: what was listed under the key of each registration. `written`: entries that the command wrote. */
  executed(done: Executed, before: readonly (Instance | undefined)[], written: number): void
  /** `written`: entries that the beat made the node write. */
  beaten(
    refs: readonly ResolvedRef[],
    response: HeartbeatResponse,
    states: readonly string[],
    written: number,
  ): void
}

/** The driver as its callers see it, with a witness that hears what is answered. */
export function witnessed(driver: NodeDriver, journal: SimJournal, witness: Witness): Registry {
  const read = driver.read(ONLOOKER)
  return {
    async execute<K extends CommandKind>(
      command: CommandOf<K>,
      caller: Caller,
      need?: Durability,
    ): Promise<Done<K>> {
      const before = 'items' in command ? command.items.map((item) => read.instance(item)) : []
      const appended = journal.appended
      const answer = driver.execute(command, caller, need)
      const written = journal.appended - appended
      witness.executing(command as Command)
      try {
        const done = await answer
        witness.executed({ kind: command.kind, command, ...done } as unknown as Executed, before, written)
        return done
      } finally {
        witness.over(command as Command)
      }
    },
    heard(refs, caller) {
      const states = refs.map((ref) => read.instance(ref)?.state ?? 'hidden')
      const appended = journal.appended
      const response = driver.heard(refs, caller)
      witness.beaten(refs, response, states, journal.appended - appended)
      return response
    },
    report: (report, caller) => driver.report(report, caller),
    ask: (request, answered, caller) => driver.ask(request, answered, caller),
    read: (caller) => driver.read(caller),
    wait: (what, sign, timeoutMs, caller) => driver.wait(what, sign, timeoutMs, caller),
    follow: (listener, caller) => driver.follow(listener, caller),
    openSession: (options, caller) => driver.openSession(options, caller),
    subscribe: (subscriber, caller) => driver.subscribe(subscriber, caller),
  }
}
