/**
 * A register: a value that operators write, with the version of the write. Overrides, freezes and declarations are
 * registers, in memory as in the journal, and two replicas of one are joined by the one merge below.
 */
import { defined, type Signature } from '@rollcall/wire'
import { larger } from './encoding.js'

export interface Register<T> extends Signature {
  /** A number that grows with each write, never compared as time. */
  readonly counter: number
  /** The node that took the write. */
  readonly node: string
  /**
   * What is wanted. Null: it was taken back. A removal is a value of its own, so that it wins over what it removed at
   * every replica; it is remembered for the retention.
   */
  readonly value: T | null
}

/** Which node writes, by what wall clock. */
export interface Writer {
  readonly nodeId: string
  /** Milliseconds since the epoch. */
  readonly wallNow: () => number
}

/**
 * Joins two replicas of one register: the higher counter, then the higher node, then the larger bytes. Commutative,
 * associative and idempotent. Returns `a` itself when `b` adds nothing.
 */
export function joinRegisters<R extends Register<unknown>>(a: R, b: R): R {
  if (a === b) return a
  if (a.counter !== b.counter) return a.counter > b.counter ? a : b
  if (a.node !== b.node) return a.node > b.node ? a : b
  return larger(a, b)
}

/**
 * The next value of a register of which `stored` is known here. The counter is above the stored one; the wall clock
 * raises it so that a write after the retention also wins over replicas that this node has forgotten.
 */
export function nextRegister<T>(
  stored: Pick<Register<T>, 'counter'> | undefined,
  value: T | null,
  { nodeId, wallNow }: Writer,
  { by, why }: Signature = {},
): Register<T> {
  return {
    counter: Math.max(wallNow(), (stored?.counter ?? 0) + 1),
    node: nodeId,
    value,
    ...defined({ by, why }),
  }
}
