/**
 * What a node holds because readers have not taken it yet: one account of all answers, whole ones, pieces and streams.
 * Bytes that are sent to several readers are one copy, and counted once, for the reader that has waited longest.
 */
import type { Budget } from '@rollcall/core'
import type { Chunks } from './chunks.js'

/** What this short or shorter fits into the buffers of the system: its reader holds nothing of the node. */
export const SHORT_BYTES = 16_384

/** What is sent, as one object to all who are sent the same. */
type Sent = Uint8Array | Chunks

interface Reader {
  readonly peer: string | undefined
}

export class Unsent {
  private readonly budget: Budget
  /** Who is still sent these bytes; the first is charged. */
  private readonly readers = new Map<Sent, Set<Reader>>()

  constructor(budget: Budget) {
    this.budget = budget
  }

  /**
   * Throws `limit_exceeded` where a peer may not be sent this much more. Never for what is short or held anyway; nor, while
   * half of the account is free, for the only answer of a peer, so that no list is too long to be read.
   */
  admit(peer: string | undefined, body: Sent | number): void {
    const bytes = typeof body === 'number' ? body : body.length
    if (bytes <= SHORT_BYTES || (typeof body !== 'number' && this.readers.has(body))) return
    const { budget } = this
    if (budget.usedBy(peer) === 0 && budget.used <= budget.max / 2) return
    budget.take(peer, bytes)
    budget.give(peer, bytes)
  }

  /** Whether a peer should be sent nothing more that can wait. */
  isFull(peer: string | undefined): boolean {
    return !this.budget.fits(peer, SHORT_BYTES)
  }

  /** Counts bytes until the returned function is called, whatever the account says. */
  hold(peer: string | undefined, body: Sent): () => void {
    const reader: Reader = { peer }
    let readers = this.readers.get(body)
    if (readers === undefined) {
      this.readers.set(body, (readers = new Set()))
      this.budget.add(peer, body.length)
    }
    readers.add(reader)
    return () => this.release(body, readers, reader)
  }

  /** The same for what is made as its reader takes it: counts the most of it that is held at a time. */
  holdUpTo(peer: string | undefined, bytes: number): () => void {
    this.budget.add(peer, bytes)
    return () => this.budget.give(peer, bytes)
  }

  private release(body: Sent, readers: Set<Reader>, reader: Reader): void {
    const [charged] = readers
    if (!readers.delete(reader) || charged !== reader) return
    this.budget.give(reader.peer, body.length)
    const [next] = readers
    if (next === undefined) this.readers.delete(body)
    else this.budget.add(next.peer, body.length)
  }
}
