/** The few bytes of WebSocket (RFC 6455) that load generators need: no extension, no fragments. */

/** One whole masked frame, as clients send them; `mask` is any four bytes. */
export function maskedFrame(payload: Uint8Array, mask: number, opcode: number = OPCODES.text): Buffer {
  const { length } = payload
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const frame = Buffer.allocUnsafe(6 + extra + length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127)
  if (extra === 2) frame.writeUInt16BE(length, 2)
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2)
  const start = 6 + extra
  frame.writeUInt32BE(mask >>> 0, start - 4)
  const key = frame.subarray(start - 4, start)
  for (let at = 0; at < length; at++) frame[start + at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0)
  return frame
}

/** Kinds of frames. */
export const OPCODES = { text: 1, close: 8, ping: 9, pong: 10 } as const

/** Cuts a stream of unmasked frames, as servers send them, without looking into them or copying them. */
export class FrameScanner {
  /** Text frames that were received whole. */
  frames = 0
  private readonly head = Buffer.alloc(10)
  private headBytes = 0
  /** Payload bytes of the current frame still to come; undefined while its head is incomplete. */
  private remaining: number | undefined

  /** Takes what was read and returns how many text frames it completed. Throws for a close frame. */
  scan(chunk: Uint8Array): number {
    const before = this.frames
    let at = 0
    while (at < chunk.length) {
      if (this.remaining === undefined) {
        at = this.scanHead(chunk, at)
        continue
      }
      const taken = Math.min(this.remaining, chunk.length - at)
      at += taken
      this.remaining -= taken
      if (this.remaining === 0) this.complete()
    }
    return this.frames - before
  }

  private scanHead(chunk: Uint8Array, from: number): number {
    let at = from
    while (at < chunk.length && this.headBytes < this.headLength)
      this.head[this.headBytes++] = chunk[at++] ?? 0
    if (this.headBytes < this.headLength) return at
    const short = (this.head[1] ?? 0) & 0x7f
    this.remaining =
      short < 126 ? short : short === 126 ? this.head.readUInt16BE(2) : Number(this.head.readBigUInt64BE(2))
    if (this.remaining === 0) this.complete()
    return at
  }

  private get headLength(): number {
    if (this.headBytes < 2) return 2
    const short = (this.head[1] ?? 0) & 0x7f
    return short < 126 ? 2 : short === 126 ? 4 : 10
  }

  private complete(): void {
    const opcode = (this.head[0] ?? 0) & 0x0f
    this.headBytes = 0
    this.remaining = undefined
    if (opcode === OPCODES.close) throw new Error('the server closed the stream')
    if (opcode === OPCODES.text) this.frames++
  }
}

/** Cuts a stream of unmasked frames into whole ones, as they were on the wire. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0)

  /** Takes what was read and returns the frames it completed, with their heads. */
  read(chunk: Uint8Array): Frame[] {
    this.rest = this.rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.rest, chunk])
    const frames: Frame[] = []
    for (let frame = this.next(); frame !== undefined; frame = this.next()) frames.push(frame)
    return frames
  }

  private next(): Frame | undefined {
    const { rest } = this
    const short = (rest[1] ?? 0) & 0x7f
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    if (rest.length < head) return undefined
    const length =
      short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
    if (rest.length < head + length) return undefined
    this.rest = rest.subarray(head + length)
    const first = rest[0] ?? 0
    return {
      opcode: first & 0x0f,
      deflated: (first & 0x40) !== 0,
      bytes: rest.subarray(0, head + length),
      payload: rest.subarray(head, head + length),
    }
  }
}

/** A frame as it was on the wire. */
export interface Frame {
  readonly opcode: number
  readonly deflated: boolean
  readonly bytes: Buffer
  readonly payload: Buffer
}
