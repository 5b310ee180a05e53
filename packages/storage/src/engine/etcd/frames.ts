/** How gRPC puts messages into the body of a request or an answer: a byte, four bytes of length, the message. */
import { RPC, RpcError } from './transport.js'

const HEAD_BYTES = 5

/** A message with its head. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, HEAD_BYTES)
  return framed
}

/** Takes a body apart as it comes in. */
export interface FrameReader {
  /** Calls `message` for each one that is whole now. Throws RpcError for one beyond the limit, before it is kept. */
  push(chunk: Buffer): void
  /** Whether it ends in the middle of a message. */
  readonly torn: boolean
}

export function createFrameReader(bytesMax: number, message: (bytes: Buffer) => void): FrameReader {
  let chunks: Buffer[] = []
  let held = 0
  /** What the message that is coming takes with its head; as long as that is not known, the head. */
  let wanted = HEAD_BYTES
  let headed = false
  const joined = (): Buffer => {
    const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, held)
    chunks = [all]
    return all
  }
  return {
    push(chunk) {
      chunks.push(chunk)
      held += chunk.length
      while (held >= wanted) {
        const all = joined()
        if (!headed) {
          if (all[0] !== 0) throw new RpcError(RPC.internal, 'a compressed answer, which was not asked for')
          const length = all.readUInt32BE(1)
          if (length > bytesMax) {
            const text = `an answer of ${length} bytes is beyond the limit of ${bytesMax}`
            throw new RpcError(RPC.resourceExhausted, text, { local: 'oversize' })
          }
          wanted = HEAD_BYTES + length
          headed = true
          continue
        }
        const whole = all.subarray(HEAD_BYTES, wanted)
        const rest = all.subarray(wanted)
        chunks = rest.length === 0 ? [] : [rest]
        held = rest.length
        wanted = HEAD_BYTES
        headed = false
        message(whole)
      }
    },
    get torn() {
      return held > 0
    },
  }
}
