/** Frames, events and their ids as bytes, beside the fixtures. */
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import type { Update, ViewCapture } from '@rollcall/core'
import { EMPTY_SIGN, type Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyChunk } from '../http/event-stream.js'
import { HandClock } from '@rollcall/testkit/time'
import { ViewBodies } from '../http/view-bodies.js'
import {
  type Parts,
  eventEndChunk,
  formatEventId,
  foundFrame,
  messageFrame,
  openEventChunk,
  parseEventId,
  pongFrame,
  soleEventChunk,
  textFrame,
  updateFrame,
} from './codec.js'

const fixtures = JSON.parse(readFileSync(new URL('fixtures/frames.json', import.meta.url), 'utf8')) as {
  text: readonly { payloadBytes: number; head: string }[]
  pong: { payload: string; frame: string }
  deflated: { payload: string; frame: string }
}

const SIGN = '0123456789abcdef'

function viewOf(instances: number): Update {
  const list = Array.from({ length: instances }, (_, index): Instance => ({
    namespace: 'default',
    service: 'orders',
    group: 'default',
    id: `i${index}`,
    host: '10.0.0.1',
    port: 8_080,
    weight: 100,
    metadata: {},
    state: 'up',
    stateAgeMs: index,
    incarnation: 1,
    digest: SIGN,
  }))
  const view = {
    namespace: 'default',
    service: 'orders',
    sign: SIGN,
    instances: list,
    guard: { tripped: false, kept: 0 },
    stale: false,
  }
  const { namespace, service, sign, instances: _, ...facts } = view
  const captured: ViewCapture = {
    name: { namespace, service, sign },
    size: list.length,
    instance: (place) => list[place] as Instance,
    facts,
  }
  return { kind: 'view', seq: 7, captured, view }
}

const views = new ViewBodies(new HandClock(), 0)

/** One unit of what is at hand. */
function atOnce(parts: Parts | Promise<Parts>): Buffer {
  if (parts instanceof Promise) throw new Error('it has to be made')
  return Buffer.concat(parts)
}

const delta: Update = {
  kind: 'delta',
  seq: 8,
  delta: { namespace: 'default', service: 'orders', from: EMPTY_SIGN, to: SIGN, upserts: [], removes: [] },
}

/** Reads frames as a client does: kind, payload, and what follows. */
function readFrame(bytes: Buffer): { kind: number; payload: Buffer; rest: Buffer } {
  const short = bytes[1] ?? 0
  const start = short === 127 ? 10 : short === 126 ? 4 : 2
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  return {
    kind: bytes[0] ?? 0,
    payload: bytes.subarray(start, start + length),
    rest: bytes.subarray(start + length),
  }
}

describe('frames', () => {
  it('have the heads of the fixtures', () => {
    for (const { payloadBytes, head } of fixtures.text) {
      const frame = textFrame(Buffer.alloc(payloadBytes, 'x'))
      expect(frame.toString('hex', 0, head.length / 2)).toBe(head)
      expect(frame.length).toBe(head.length / 2 + payloadBytes)
    }
    expect(pongFrame(Buffer.from(fixtures.pong.payload)).toString('hex')).toBe(fixtures.pong.frame)
    const deflated = Buffer.from(fixtures.deflated.frame.slice(4), 'hex')
    expect(textFrame(deflated, true).toString('hex')).toBe(fixtures.deflated.frame)
  })

  it('are read back as what was written, one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 70_000, size: 'max' }), { maxLength: 4 }), (texts) => {
        let rest: Buffer = Buffer.concat(texts.map((text) => textFrame(Buffer.from(text))))
        for (const text of texts) {
          const read = readFrame(rest)
          expect([read.kind, read.payload.toString()]).toEqual([0x81, Buffer.from(text).toString()])
          rest = read.rest
        }
        expect(rest).toHaveLength(0)
      }),
      { numRuns: 30 },
    )
    expect(readFrame(messageFrame({ type: 'pong', req: 3, island: false })).payload.toString()).toBe(
      '{"type":"pong","req":3,"island":false}',
    )
  })

  it('of a lookup carry the bytes of the view as they are', () => {
    for (const instances of [1, 100]) {
      const update = viewOf(instances)
      if (update.kind !== 'view') throw new Error('a view')
      const { view } = update
      const body = views.of(update.captured)
      if (body instanceof Promise) throw new Error('it is short')
      for (const req of [undefined, 7]) {
        const whole = readFrame(Buffer.concat(foundFrame(body, req)))
        expect(whole.payload.toString()).toBe(JSON.stringify({ type: 'found', view, req }))
      }
    }
  })

  it('of a publication are the same bytes for everybody', () => {
    const update = viewOf(1_000)
    expect(updateFrame(update, true, views)).toBe(updateFrame(update, true, views))
    expect(updateFrame(update, false, views)).toBe(updateFrame(update, false, views))
    expect(soleEventChunk(delta, views)).toBe(soleEventChunk(delta, views))
    expect(openEventChunk(delta, views)).toBe(openEventChunk(delta, views))
  })

  it('compress what is large, without changing a byte of it', () => {
    const update = viewOf(1_000)
    const plain = readFrame(atOnce(updateFrame(update, false, views)))
    const deflated = readFrame(atOnce(updateFrame(update, true, views)))
    expect([plain.kind, deflated.kind]).toEqual([0x81, 0xc1])
    expect(deflated.payload.length).toBeLessThan(plain.payload.length / 5)
    // As RFC 7692 7.2.2 says: put back the empty block, then inflate.
    const whole = Buffer.concat([deflated.payload, Buffer.from([0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff])])
    expect(inflateRawSync(whole).equals(plain.payload)).toBe(true)
    expect(updateFrame(delta, true, views)).toBe(updateFrame(delta, false, views))
    expect(JSON.parse(plain.payload.toString())).toMatchObject({ type: 'view', seq: 7, service: 'orders' })
  })
})

describe('events', () => {
  it('are whole chunks', () => {
    const text = atOnce(soleEventChunk(delta, views)).toString()
    const [size, ...rest] = text.split('\r\n')
    const body = rest.join('\r\n').slice(0, -2)
    expect(Number.parseInt(size ?? '', 16)).toBe(Buffer.byteLength(body))
    expect(body).toBe(`id: ${SIGN}\nevent: delta\ndata: ${JSON.stringify(delta.delta)}\n\n`)
    expect(bodyChunk('ä').toString()).toBe('2\r\nä\r\n')
  })

  it('of several views end with an id of their own', () => {
    expect(atOnce(openEventChunk(delta, views)).toString()).toMatch(/event: delta\ndata: .*\n\r\n$/)
    expect(eventEndChunk([SIGN, undefined]).toString()).toContain(`id: ${SIGN},-\n\n`)
  })

  it('have ids that are read back, and strange ones count as none', () => {
    const signs = fc.array(fc.option(fc.constantFrom(SIGN, EMPTY_SIGN), { nil: undefined }), { minLength: 1 })
    fc.assert(
      fc.property(signs, (list) => {
        expect(parseEventId(formatEventId(list), list.length)).toEqual(list)
      }),
    )
    for (const text of [undefined, '', 'x', `${SIGN},`, `${SIGN},${SIGN},${SIGN}`, SIGN.toUpperCase()]) {
      expect(parseEventId(text, 2)).toEqual([undefined, undefined])
    }
  })
})
