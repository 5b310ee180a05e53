/**
 * The one door into the core: what protocol adapters see of a registry. Every member takes the caller on whose behalf
 * it is called. Methods that return a value directly never wait.
 */
import type { Durability, HeartbeatResponse, ResolvedRef, ViewName } from '@rollcall/wire'
import type { Caller, Session, SessionOptions } from './caller.js'
import type { CommandKind, CommandOf, Done } from './commands.js'
import type { ServicesQuery } from './directory/services.js'
import type { ProbeOutcome, ProbeRequest } from './ports.js'
import type { Subscriber, Subscription } from './publishing/subscription.js'
import type { Queries } from './queries.js'

/** What a consumer lets the registry know. Nothing is answered. */
export type Report =
  /**
   * It could not reach these. Each is asked, unless that is under way or was done within a second; what follows depends
   * on its answer alone.
   */
  | { readonly kind: 'unreachable'; readonly refs: readonly ResolvedRef[] }
  /** It does not subscribe to the service but asks for its list again and again: this often, if it said so. */
  | { readonly kind: 'polls'; readonly name: ViewName; readonly everyMs: number | undefined }

/** A wait that its caller may lose interest in. */
export interface ChangeWait {
  /** True when there is a change, false after the timeout or `cancel`. Never rejects. */
  readonly changed: Promise<boolean>
  cancel(): void
}

/**
 * Whether a node should be asked, and if not, why: `loading` = it does not know yet what it should know; `island` = it
 * answers and accepts everything, but lost the engine, and a node that did not is better asked; `stopping` = it knows, and
 * will be gone in a moment; `closed` = it is gone.
 */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: 'loading' | 'island' | 'stopping' | 'closed' }

export interface Registry {
  /**
   * Does what changes the registry, and resolves after the commit. Rejects where the command as a whole is refused, and
   * with `not_durable` where it was done but is less durable than `need`.
   */
  execute<K extends CommandKind>(command: CommandOf<K>, caller: Caller, need?: Durability): Promise<Done<K>>
  /** Beats: evidence that touches neither disk nor subscribers. */
  heard(refs: readonly ResolvedRef[], caller: Caller): HeartbeatResponse
  report(report: Report, caller: Caller): void
  /**
   * Asks an instance because a client of another registry has it checked, under the rules of probes. What is found is evidence
   * for the registry as well. `answered` is called once, later, with a few words of why it did not succeed.
   */
  ask(request: ProbeRequest, answered: (outcome: ProbeOutcome, cause?: string) => void, caller: Caller): void
  /** What can be read on behalf of the caller. */
  read(caller: Caller): Queries
  /**
   * Waits until the sign of a view (of a service that is not known yet, too), or of a list of services, is no longer
   * `sign`; over at once if that is so already. Throws `limit_exceeded` when the node holds as many waiters as it may.
   */
  wait(what: ViewName | ServicesQuery, sign: string, timeoutMs: number, caller: Caller): ChangeWait
  /** Calls `listener` soon after something happened, until the returned function is called. It must not throw. */
  follow(listener: () => void, caller: Caller): () => void
  openSession(options: SessionOptions, caller: Caller): Session
  subscribe(subscriber: Subscriber, caller: Caller): Subscription
}
