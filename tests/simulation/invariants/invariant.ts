/** What an invariant is. */
import type { JournalEntry } from '@rollcall/core'
import type { ListChange } from '#client/internal'
import type { Instance, View, ViewName } from '@rollcall/wire'
import type { Program } from '../programs/program.js'
import type { SdkProgram } from '../programs/sdk-program.js'
import type { Endpoint } from '../world/endpoint.js'
import type { Witness } from '../world/witness.js'

/** Something that always holds. It hears what happens and throws InvariantViolation by `world.violated`. */
export interface Invariant extends Partial<Witness> {
  /** Such as `I3 finality`. */
  readonly name: string
  /** The registry shows another view. */
  viewed?(name: ViewName, view: View, before: View | undefined): void
  /** A program shows another list. */
  listed?(program: SdkProgram, name: ViewName, change: ListChange): void
  /** A program lost its connection to the registry, or gave it up. */
  disconnected?(program: SdkProgram, reason: string): void
  /** A call of a program found no process at the port of an instance. */
  refused?(program: SdkProgram, instance: Instance): void
  /** A program has left in order, so long after it began to; `known`: endpoints that everybody knew then. */
  left?(program: Program, known: readonly Endpoint[], ms: number): void
  /** The registry hands entries to its journal. */
  journalled?(entries: readonly JournalEntry[]): void
  /** Some time has passed. */
  looked?(): void
  /** Everything has been well for long enough. */
  healed?(): void
}

/** An invariant does not hold. */
export class InvariantViolation extends Error {
  /** Name of the invariant. */
  readonly invariant: string
  /** Simulated time, in milliseconds. */
  readonly at: number

  constructor(invariant: string, at: number, message: string) {
    super(`${invariant} at ${(at / 1_000).toFixed(3)} s: ${message}`)
    this.name = 'InvariantViolation'
    this.invariant = invariant
    this.at = at
  }
}
