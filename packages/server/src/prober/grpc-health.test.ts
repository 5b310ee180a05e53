/** The two messages of the gRPC health check as bytes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHealthResponse, encodeHealthRequest } from './grpc-health.js'

const frame = (...message: number[]): Buffer => Buffer.from([0, 0, 0, 0, message.length, ...message])

describe('a health request', () => {
  it('is an empty message for the server as a whole', () => {
    expect([...encodeHealthRequest('')]).toEqual([0, 0, 0, 0, 0])
  })

  it('holds the name as field 1', () => {
    expect([...encodeHealthRequest('a.B')]).toEqual([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x2e, 0x42])
    expect([...encodeHealthRequest('x'.repeat(200))].slice(0, 8)).toEqual([0, 0, 0, 0, 203, 0x0a, 0xc8, 1])
    expect([...encodeHealthRequest('ä')]).toEqual([0, 0, 0, 0, 4, 0x0a, 2, 0xc3, 0xa4])
  })
})

describe('a health response', () => {
  it.each([
    ['UNKNOWN', frame()],
    ['UNKNOWN', frame(0x08, 0)],
    ['SERVING', frame(0x08, 1)],
    ['NOT_SERVING', frame(0x08, 2)],
    ['SERVICE_UNKNOWN', frame(0x08, 3)],
    ['UNKNOWN', frame(0x08, 9)],
    // A negative number of a later version takes ten bytes.
    ['UNKNOWN', frame(0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1)],
    // Of a field given twice the last one counts.
    ['NOT_SERVING', frame(0x08, 1, 0x08, 2)],
    // Unknown fields of every kind: a number, 8 bytes, a text, 4 bytes.
    [
      'SERVING',
      frame(0x10, 0x96, 1, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 2, 0x61, 0x62, 0x2d, 1, 2, 3, 4, 0x08, 1),
    ],
  ])('is %s', (expected, body) => {
    expect(decodeHealthResponse(body)).toBe(expected)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.from([0, 0, 0])],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 2, 0x08, 1])],
    ['a message that is cut', Buffer.from([0, 0, 0, 0, 3, 0x08, 1])],
    ['two messages', Buffer.concat([frame(0x08, 1), frame(0x08, 1)])],
    ['a number without an end', frame(0x08, 0x81)],
    ['a number that is too long', frame(0x08, ...Array<number>(10).fill(0x80), 1)],
    ['a text longer than the message', frame(0x12, 5, 0x61)],
    ['a field of a kind that is no more', frame(0x0b, 0x0c)],
  ])('is malformed when it is %s', (_, body) => {
    expect(decodeHealthResponse(body)).toBe('malformed')
  })

  it('whatever it is, is judged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const known = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN', 'malformed']
        expect(known).toContain(decodeHealthResponse(frame(...bytes)))
        expect(known).toContain(decodeHealthResponse(Buffer.from(bytes)))
      }),
    )
  })
})
