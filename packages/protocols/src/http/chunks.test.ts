/** Bodies in parts are the bytes that were added, in parts that are neither small nor large. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CHUNK_BYTES, Gathering } from './chunks.js'
import { chunksOf } from './transmit.js'

const lengths = fc.array(
  fc.oneof(fc.nat(200), fc.constantFrom(0, CHUNK_BYTES - 1, CHUNK_BYTES, 3 * CHUNK_BYTES)),
  {
    maxLength: 30,
  },
)

function gathered(all: readonly Buffer[]): ReturnType<Gathering['done']> {
  const gathering = new Gathering()
  for (const each of all) gathering.add(each)
  return gathering.done()
}

it('what is added comes out, and is sent, in few parts', () => {
  fc.assert(
    fc.property(lengths, (each) => {
      const parts = each.map((length, at) => Buffer.alloc(length, at))
      const body = gathered(parts)
      expect(body.whole().equals(Buffer.concat(parts))).toBe(true)
      expect(body.parts.length).toBeLessThanOrEqual(1 + (2 * body.length) / CHUNK_BYTES)
      const pieces: Uint8Array[] = []
      const next = chunksOf(body)
      for (let done = false; !done;) {
        const piece = next()
        done = piece.done
        pieces.push(piece.data as Uint8Array)
      }
      expect(Buffer.concat(pieces).equals(body.whole())).toBe(true)
      expect(pieces.length).toBe(Math.max(1, body.parts.length))
    }),
  )
})

it('a large part is not copied', () => {
  const large = Buffer.alloc(CHUNK_BYTES)
  expect(gathered([large]).parts[0]).toBe(large)
})
