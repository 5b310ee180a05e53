/**
 * Encoded views for lookups. An entry serves as long as its view has the same sign, and for at most a second,
 * because bodies carry ages, guards and staleness that no sign covers. Bounded in bytes; the oldest goes first.
 */

/** How old the ages in an answer may be. */
const AGE_MS_MAX = 1_000

/** Bodies below this are kept as text: head and body then leave in one write. */
const TEXT_CHARS_MAX = 4_096

interface Entry {
  readonly sign: string
  readonly at: number
  readonly body: string | Buffer
}

/** A cache of encoded views. */
export class ViewCache {
  private readonly bytesMax: number
  private readonly entries = new Map<string, Entry>()
  private total = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.total
  }

  /** The body of a view that shows `sign` now, if it was encoded within the last second. */
  get(key: string, sign: string, now: number): string | Buffer | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && entry.sign === sign && now - entry.at < AGE_MS_MAX ? entry.body : undefined
  }

  /** Keeps a body, and returns it in the form in which it is best sent. */
  set(key: string, sign: string, now: number, json: string): string | Buffer {
    const body = json.length <= TEXT_CHARS_MAX ? json : Buffer.from(json)
    this.drop(key)
    const size = body.length + key.length
    if (size > this.bytesMax) return body
    this.entries.set(key, { sign, at: now, body })
    this.total += size
    for (const oldest of this.entries.keys()) {
      if (this.total <= this.bytesMax) break
      this.drop(oldest)
    }
    return body
  }

  private drop(key: string): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    this.total -= entry.body.length + key.length
  }
}
