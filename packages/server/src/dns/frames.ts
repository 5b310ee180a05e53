/** Messages in a stream, each behind its length in two bytes (RFC 1035, 4.2.2). Pure. */

const LENGTH_BYTES = 2

/** Takes pieces of a stream as they come and gives whole messages. It holds one message and one piece at most. */
export class Frames {
  private readonly bytesMax: number
  private held: Buffer = Buffer.alloc(0)

  /** `bytesMax`: the longest message that is taken. */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  push(piece: Buffer): void {
    this.held = this.held.length === 0 ? piece : Buffer.concat([this.held, piece])
  }

  /** The next whole message; undefined while it is not there; `tooLong` where it never will be. */
  next(): Buffer | 'tooLong' | undefined {
    const { held } = this
    if (held.length < LENGTH_BYTES) return undefined
    const length = held.readUInt16BE(0)
    if (length > this.bytesMax) return 'tooLong'
    const end = LENGTH_BYTES + length
    if (held.length < end) return undefined
    this.held = held.subarray(end)
    return held.subarray(LENGTH_BYTES, end)
  }
}

/** A message as it goes into a stream. */
export function framed(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + message.length)
  bytes.writeUInt16BE(message.length, 0)
  message.copy(bytes, LENGTH_BYTES)
  return bytes
}
