/** What a node remembers of what happened, by whom and why. */
import type { State } from './types.js'

/** What can happen. */
export const EVENT_KINDS = [
  'registered',
  'replaced',
  'updated',
  'state',
  'deregistered',
  'expired',
  'restored',
  'override_set',
  'override_cleared',
  'guard_tripped',
  'guard_released',
  'frozen',
  'unfrozen',
  'declared',
  'undeclared',
  'stall',
] as const

/**
 * `registered` (also anew), `replaced` (by a new incarnation while listed), `updated` (content), `state` (by the
 * judgement of a node), `deregistered` (for good), `expired`, `restored` (by an operator); the rest are about
 * overrides, guards (a service's, or a node's doubt of its own ears in a zone), freezes, declarations, and a node
 * whose event loop stood still.
 */
export type EventKind = (typeof EVENT_KINDS)[number]

/** One thing that happened. */
export interface RegistryEvent {
  /** Grows by one with each event of a node since its start. */
  readonly seq: number
  /** ISO 8601, by the clock of the node that tells it. */
  readonly at: string
  readonly kind: EventKind
  readonly namespace?: string
  readonly service?: string
  readonly group?: string
  readonly id?: string
  readonly incarnation?: number
  /** State before; absent where it was not listed. */
  readonly from?: State
  /** State after; absent where it is not listed. */
  readonly to?: State
  /** Why, in the words of the rules. */
  readonly reason?: string
  /**
   * The author, where the caller named one: an operator, or `provider`, `host` or `operator` for a deregistration; `learnt` where
   * this node has it from another one.
   */
  readonly by?: string
  /** Why, in the words of an operator. */
  readonly why?: string
  /** Address of the caller; absent where the node acted by itself. */
  readonly peer?: string
  /** Protocol of another registry by which that caller spoke; absent where it was the native one. */
  readonly via?: string
  /** `guard_*`: zone in which the node doubts its ears; absent for the guard of a service. */
  readonly zone?: string
  /** `stall`: how much too late the event loop was. */
  readonly lateMs?: number
  /** Node that noted it, where those of several nodes are told together. */
  readonly node?: string
}

export interface EventsResponse {
  /** Node that tells, unique per boot: another one counts its events from 1. */
  readonly node: string
  /** Oldest first. */
  readonly events: readonly RegistryEvent[]
  /** Give this as `after` to read on. */
  readonly next: number
  /** Events after `after` that are forgotten already. */
  readonly lost?: number
  /** Nodes of the cluster that were asked and did not answer. Absent where all did. */
  readonly unanswered?: readonly string[]
}
