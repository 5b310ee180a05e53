/** The wire format: known bytes, round trips, and bytes of anything. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyValue, PutRequest, TxnRequest, WatchResponse } from './messages.js'
import { CodecError, list, message, one, type MessageType } from './protobuf.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('messages', () => {
  it('are the bytes that protoc makes of them', () => {
    // etcdserverpb.PutRequest{key: "a", value: "bc", lease: 7587848390116394767}, by etcd's own Go code.
    expect(hex(PutRequest.encode({ key: 'a', value: 'bc', lease: 7_587_848_390_116_394_767n }))).toBe(
      `0a01611202626318${varint(7_587_848_390_116_394_767n)}`,
    )
    expect(hex(PutRequest.encode({ key: '', value: '', lease: 0n }))).toBe('')
    // An empty message inside is there, with no length.
    expect(hex(TxnRequest.encode({ success: [{ range: {} }, {}] }))).toBe('12020a001200')
    // A negative integer takes ten bytes: the watch id of an answer for all watches.
    const bytes = Buffer.from('10ffffffffffffffffff01', 'hex')
    expect(WatchResponse.decode(bytes).watchId).toBe(-1)
    expect(hex(WatchResponse.encode({ watchId: -1 }))).toBe(hex(bytes))
  })

  it('come back as they went, whatever is in them', () => {
    const event = fc.record({
      type: fc.constantFrom(0, 1),
      kv: fc.record({
        key: fc.uint8Array({ maxLength: 300 }),
        modRevision: fc.maxSafeNat(),
        value: fc.string({ unit: 'grapheme', maxLength: 300 }),
      }),
    })
    const answer = fc.record({
      header: fc.record({
        clusterId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        memberId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        revision: fc.integer(),
        raftTerm: fc.maxSafeNat(),
      }),
      watchId: fc.integer(),
      created: fc.boolean(),
      canceled: fc.boolean(),
      compactRevision: fc.maxSafeNat(),
      cancelReason: fc.string(),
      fragment: fc.boolean(),
      events: fc.array(event, { maxLength: 20 }),
    })
    fc.assert(
      fc.property(answer, (given) => {
        const read = WatchResponse.decode(WatchResponse.encode(given))
        const events = read.events.map(({ type, kv }) => ({
          type,
          kv: kv && { ...kv, key: new Uint8Array(kv.key) },
        }))
        expect({ ...read, events }).toEqual(given)
      }),
    )
  })

  it('pass over fields that they do not know, of every kind', () => {
    const newer = message<{ a: number; key: Uint8Array; text: string }>({
      a: one(77, 'int'),
      key: one(1, 'bytes'),
      text: one(4_000, 'text'),
    })
    const bytes = newer.encode({ a: 5, key: Buffer.from('k'), text: 'later' })
    // A fixed64 and a fixed32 behind it, which no message of ours has.
    const more = Buffer.concat([bytes, Buffer.from('d1040102030405060708d50401020304', 'hex')])
    expect(Buffer.from(KeyValue.decode(more).key).toString()).toBe('k')
  })

  it('are refused with one kind of error, and never read beyond their end', () => {
    const refused = (text: string, type: MessageType<unknown> = KeyValue): void =>
      expect(() => type.decode(Buffer.from(text, 'hex'))).toThrow(CodecError)
    refused('0a05616263') // longer than what is there
    refused('18') // a number that does not come
    refused('18ffffffffffffffffffffff01') // and one that does not end
    refused('0801') // another wire type than that of the field
    refused('0b') // a group
    refused('18ffffffffffffff7f') // larger than what is held exactly
    const outer = message<{ inside: readonly KeyValue[] }>({ inside: list(1, KeyValue) })
    refused('0a030a0561626364', outer as MessageType<unknown>) // ends after the message around it
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          WatchResponse.decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError)
        }
      }),
    )
  })
})

function varint(value: bigint): string {
  let text = ''
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 127n) | (rest > 127n ? 128 : 0)
    text += byte.toString(16).padStart(2, '0')
    if (rest <= 127n) return text
  }
}
