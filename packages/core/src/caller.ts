/** On whose behalf something is done: who calls, from where, and over which session. */
import type { ResolvedRef } from '@rollcall/wire'

/** What a caller has proved to be. Without authentication there is one kind: anonymous. */
export interface Principal {
  readonly kind: 'anonymous'
}

export const ANONYMOUS: Principal = { kind: 'anonymous' }

/** On whose behalf a command, a beat, a wait, a session or a subscription is made. */
export interface Caller {
  readonly principal: Principal
  /** IP address of the peer, if there is one. */
  readonly peer?: string
  /** The protocol of another registry by which it calls, such as `eureka`; absent where it calls by the native one. */
  readonly via?: string
  /** The session over which it calls: it vouches for what is registered. */
  readonly session?: Session
}

/** One call of the rules: on whose behalf and when. */
export interface Step {
  readonly caller: Caller
  /** Monotonic milliseconds. */
  readonly now: number
  /** Milliseconds since the epoch, a source of numbers only. */
  readonly wallNow: number
}

/** A stream connection that vouches for its registrations. */
export interface Session {
  readonly id: string
  /** Something arrived from the client: evidence for everything the session vouches for. O(1). */
  heard(): void
  /** The connection ended. Its registrations are probed at once. */
  close(): void
  /**
   * The client ended the connection because another one serves it, here or at another node: its last word speaks for its
   * registrations as a beat does, until the other one is heard of.
   */
  moved(): void
}

export interface SessionOptions {
  /** Nothing was heard for the whole lease of a session: close the connection. */
  onSilent?(): void
  /** Registrations of this session were ended by another caller. */
  onRemoved?(
    refs: readonly (ResolvedRef & {
      readonly incarnation: number
      readonly reason: 'deregistered' | 'superseded'
      /** By a process at the same address: the session stands in line for the id. */
      readonly standby?: boolean
    })[],
  ): void
  /** Ids that the session stands in line for, and may take now with an incarnation above this one. */
  onVacant?(refs: readonly (ResolvedRef & { readonly incarnation: number })[]): void
}
