/** Frames of WebSockets, read and written bare. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, FrameScanner, maskedFrame, OPCODES } from './frames.js'

/** A frame as servers send it. */
function plainFrame(payload: Buffer, opcode: number): Buffer {
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), payload])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = length < 65_536 ? 126 : 127
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

const frames = fc.array(
  fc.record({
    length: fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000),
    opcode: fc.constantFrom(OPCODES.text, OPCODES.ping, OPCODES.pong),
  }),
  { maxLength: 6 },
)

/** Cuts bytes into pieces of the given sizes, over and over. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

describe('frames', () => {
  it('are found however the stream is cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.constantFrom(1, 2, 3, 9, 4_096), { minLength: 1 }), (all, sizes) => {
        const sent = all.map(({ length, opcode }) => plainFrame(Buffer.alloc(length, 'x'), opcode))
        const scanner = new FrameScanner()
        const reader = new FrameReader()
        let counted = 0
        const read: Buffer[] = []
        for (const piece of cut(Buffer.concat(sent), [...sizes, 16_384])) {
          counted += scanner.scan(piece)
          read.push(...reader.read(piece).map(({ bytes }) => bytes))
        }
        const texts = all.filter(({ opcode }) => opcode === OPCODES.text).length
        expect(counted).toBe(texts)
        expect(scanner.frames).toBe(texts)
        expect(read.map((frame) => frame.length)).toEqual(sent.map((frame) => frame.length))
      }),
      { numRuns: 30 },
    )
  })

  it('say what they are', () => {
    const [frame] = new FrameReader().read(plainFrame(Buffer.from('{}'), 0x40 | OPCODES.text))
    expect(frame).toMatchObject({ opcode: OPCODES.text, deflated: true })
    expect(frame?.payload.toString()).toBe('{}')
  })

  it('end the scan when the server closes', () => {
    expect(() => new FrameScanner().scan(plainFrame(Buffer.from([3, 232]), OPCODES.close))).toThrow('closed')
  })

  it('are masked so that a server reads what was meant', () => {
    for (const length of [0, 5, 126, 65_536]) {
      const payload = Buffer.alloc(length, 'registry')
      const frame = maskedFrame(payload, 0x12345678)
      const head = frame.length - length
      const key = frame.subarray(head - 4, head)
      const unmasked = frame.subarray(head).map((byte, at) => byte ^ (key[at % 4] ?? 0))
      expect(Buffer.from(unmasked).equals(payload)).toBe(true)
      expect((frame[1] ?? 0) & 0x80).toBe(0x80)
    }
  })
})
