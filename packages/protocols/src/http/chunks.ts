/** Bodies in parts: a long one is never put together, because that alone would take a turn of the event loop for each hundred megabytes. */

/**
 * What small parts are put together to, and large ones are made in: each is one call of the system, of which its reader has to take
 * something within its time.
 */
export const CHUNK_BYTES = 262_144

/** Bytes that are sent one after the other. */
export class Chunks {
  readonly parts: readonly Buffer[]
  readonly length: number

  constructor(parts: readonly Buffer[]) {
    this.parts = parts
    this.length = parts.reduce((sum, { length }) => sum + length, 0)
  }

  /** All in one: for what is short. */
  whole(): Buffer {
    const [first] = this.parts
    return first !== undefined && this.parts.length === 1 ? first : Buffer.concat(this.parts, this.length)
  }
}

/** Takes parts of a body in their order. Small ones are copied together, large ones stay as they are. */
export class Gathering {
  private readonly parts: Buffer[] = []
  private small: Buffer[] = []
  private smallBytes = 0

  add(part: Buffer): void {
    if (part.length >= CHUNK_BYTES) {
      this.close()
      this.parts.push(part)
      return
    }
    this.small.push(part)
    this.smallBytes += part.length
    if (this.smallBytes >= CHUNK_BYTES) this.close()
  }

  /** What was taken. Nothing may be added after that. */
  done(): Chunks {
    this.close()
    return new Chunks(this.parts)
  }

  private close(): void {
    const [first] = this.small
    if (first === undefined) return
    this.parts.push(this.small.length === 1 ? first : Buffer.concat(this.small, this.smallBytes))
    this.small = []
    this.smallBytes = 0
  }
}
