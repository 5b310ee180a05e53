/** Framed messages, however they are cut on the way. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFrameReader, frame } from './frames.js'
import { RpcError } from './transport.js'

describe('frames', () => {
  it('come out whole, however they are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 })
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (given, cuts) => {
        const seen: number[][] = []
        const reader = createFrameReader(60, (bytes) => seen.push([...bytes]))
        const body = Buffer.concat(given.map(frame))
        for (let at = 0, turn = 0; at < body.length; turn += 1) {
          const length = cuts[turn % cuts.length] as number
          reader.push(body.subarray(at, at + length))
          at += length
        }
        expect(seen).toEqual(given.map((bytes) => [...bytes]))
        expect(reader.torn).toBe(false)
      }),
    )
  })

  it('are refused by their head when they are too large, before they are kept', () => {
    const reader = createFrameReader(10, () => {})
    let error: unknown
    try {
      reader.push(Buffer.from([0, 0, 0, 0, 11]))
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ local: 'oversize' })
  })

  it('are refused when they are compressed, and known to be torn when the rest does not come', () => {
    const reader = createFrameReader(10, () => {})
    expect(() => createFrameReader(10, () => {}).push(Buffer.from([1, 0, 0, 0, 1, 9]))).toThrow('compressed')
    reader.push(Buffer.from([0, 0, 0, 0, 4, 1, 2]))
    expect(reader.torn).toBe(true)
  })
})
