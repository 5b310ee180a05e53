/** Bytes and JSON: frames and events out, event ids in. Pure; each publication is encoded once. */
import { promisify } from 'node:util'
import { constants, deflateRaw, deflateRawSync } from 'node:zlib'
import type { Update } from '@rollcall/core'
import type { ServerMessage, ViewName } from '@rollcall/wire'
import { bodyChunk } from '../http/event-stream.js'
import { type Later, whenMade } from '../http/in-order.js'
import type { Body, ViewBodies } from '../http/view-bodies.js'

/** Below this a frame is sent as it is: it fits into a few packets anyway, and inflating costs the reader too. */
const DEFLATE_BYTES_MIN = 16_384

/** From here on a frame is compressed on another thread: here it would take milliseconds. */
const DEFLATE_BYTES_AT_ONCE = 262_144

/** Above this compressing takes longer than most networks take to send it. */
const DEFLATE_BYTES_MAX = 4_194_304

const DEFLATE_OPTIONS = { level: 1, finishFlush: constants.Z_SYNC_FLUSH }

const deflateAside = promisify<Uint8Array, typeof DEFLATE_OPTIONS, Buffer>(deflateRaw)

/** First byte of a frame: last of its message, and what kind. RSV1 marks a compressed payload (RFC 7692). */
const TEXT = 0x81
const DEFLATED_TEXT = 0xc1
const PONG = 0x8a

/** The answer to a ping frame. */
export function pongFrame(payload: Uint8Array): Buffer {
  return wholeFrame(PONG, payload)
}

/** One whole, unmasked WebSocket text frame. */
export function textFrame(payload: Uint8Array, deflated = false): Buffer {
  return wholeFrame(deflated ? DEFLATED_TEXT : TEXT, payload)
}

function wholeFrame(kind: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHead(kind, payload.length), payload])
}

function frameHead(kind: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  bytes[0] = kind
  if (bytes.length === 2) {
    bytes[1] = length
  } else if (bytes.length === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeUInt16BE(0, 2)
    bytes.writeUIntBE(length, 4, 6)
  }
  return bytes
}

/** A message for one session as a whole frame. */
export function messageFrame(message: ServerMessage): Buffer {
  return textFrame(Buffer.from(JSON.stringify(message)))
}

/**
 * Compresses a message by itself: with no context taken over, the bytes suit every subscriber that negotiated
 * compression. RFC 7692 section 7.2.1: flush, then drop the empty block at the end.
 */
function deflatedFrame(frame: readonly Buffer[]): Later<readonly Buffer[]> {
  const whole = Buffer.concat(frame)
  const payload = whole.subarray(payloadStart(whole))
  const flushed =
    payload.length < DEFLATE_BYTES_AT_ONCE
      ? deflateRawSync(payload, DEFLATE_OPTIONS)
      : deflateAside(payload, DEFLATE_OPTIONS)
  return whenMade(flushed, (bytes) => [textFrame(bytes.subarray(0, bytes.length - 4), true)])
}

/** A publication in a form in which it is sent: parts that belong together. */
export type Parts = readonly Buffer[]

// Weak: an encoding lives as long as the publication it belongs to.
const encodings = new WeakMap<Update, Partial<Record<Form, Later<Parts>>>>()

type Form = 'plain' | 'deflated' | 'event' | 'lastEvent'

/** Each form is made when it is first needed, once for all who are sent it. */
function formOf(update: Update, form: Form, make: () => Later<Parts>): Later<Parts> {
  let forms = encodings.get(update)
  if (forms === undefined) encodings.set(update, (forms = {}))
  return (forms[form] ??= whenMade(make(), (parts) => (forms[form] = parts)))
}

/** Where the JSON of long views is made. */
export type LongViews = Pick<ViewBodies, 'of'>

function bodyOf(update: Update, views: LongViews): Later<Body> {
  return update.kind === 'view' ? views.of(update.captured) : JSON.stringify(update.delta)
}

/** The frame of a publication. With `deflate` large ones, above all full views, come compressed. */
export function updateFrame(update: Update, deflate: boolean, views: LongViews): Later<Parts> {
  const plain = formOf(update, 'plain', () =>
    whenMade(bodyOf(update, views), (body) => pushFrame(update, body)),
  )
  if (!deflate) return plain
  return whenMade(plain, (frame) => {
    const bytes = frame.reduce((sum, part) => sum + part.length, 0)
    if (bytes < DEFLATE_BYTES_MIN || bytes > DEFLATE_BYTES_MAX) return frame
    return formOf(update, 'deflated', () => deflatedFrame(frame))
  })
}

/** A publication as a message of the stream: the members of its view or delta stand behind those of the message. */
function pushFrame(update: Update, body: Body): Parts {
  const begin = pushBegin(update)
  if (typeof body === 'string') return [textFrame(Buffer.from(begin + body.slice(1)))]
  return [joined(frameHead(TEXT, begin.length + body.length - 1), begin), body.subarray(1)]
}

function pushBegin({ kind, seq }: Update): string {
  return `{"type":"${kind}","seq":${seq},`
}

/** The payload of that frame, made at once. */
export function pushPayload(update: Update): Buffer {
  const body = JSON.stringify(update.kind === 'view' ? update.view : update.delta)
  return Buffer.from(pushBegin(update) + body.slice(1))
}

function payloadStart(frame: Uint8Array): number {
  return frame[1] === 127 ? 10 : frame[1] === 126 ? 4 : 2
}

/** The answer to a lookup, in parts: the bytes of the view are those of every lookup. */
export function foundFrame(body: Body, req: number | undefined): readonly Buffer[] {
  const begin = '{"type":"found","view":'
  const end = req === undefined ? '}' : `,"req":${req}}`
  if (typeof body === 'string') return [textFrame(Buffer.from(begin + body + end))]
  const head = frameHead(TEXT, begin.length + body.length + end.length)
  return [joined(head, begin), body, Buffer.from(end)]
}

function joined(...parts: readonly Body[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}

/** A publication as data of a server-sent event. */
function eventParts(update: Update, body: Body): readonly Body[] {
  return [`event: ${update.kind}\ndata: `, body, '\n']
}

/** The sign a reader has after this publication. */
export function signAfter(update: Update): string {
  return update.kind === 'view' ? update.captured.name.sign : update.delta.to
}

/** The view a publication is about. */
export function viewOf(update: Update): ViewName {
  return update.kind === 'view' ? update.captured.name : update.delta
}

/** A whole event with its id, for readers that watch one view: the id is the sign, the same for all of them. */
export function soleEventChunk(update: Update, views: LongViews): Later<Parts> {
  return formOf(update, 'lastEvent', () =>
    whenMade(bodyOf(update, views), (body) => [
      bodyChunk(`id: ${signAfter(update)}\n`, ...eventParts(update, body), '\n'),
    ]),
  )
}

/** An event up to its id, which differs between readers of several views; `eventEndChunk` completes it. */
export function openEventChunk(update: Update, views: LongViews): Later<Parts> {
  return formOf(update, 'event', () =>
    whenMade(bodyOf(update, views), (body) => [bodyChunk(...eventParts(update, body))]),
  )
}

/** Completes an event with the signs of all views the reader watches. */
export function eventEndChunk(signs: readonly (string | undefined)[]): Buffer {
  return bodyChunk(`id: ${formatEventId(signs)}\n\n`)
}

/** The id of an event: the signs of the watched views in the order of the query, `-` where none was sent yet. */
export function formatEventId(signs: readonly (string | undefined)[]): string {
  return signs.map((sign) => sign ?? '-').join(',')
}

/** The signs of an event id, or none at all when it does not fit the number of watched views. */
export function parseEventId(text: string | undefined, views: number): readonly (string | undefined)[] {
  const parts = text?.split(',') ?? []
  if (parts.length !== views || !parts.every((part) => /^([0-9a-f]{16}|-)$/.test(part))) {
    return Array.from({ length: views }, () => undefined)
  }
  return parts.map((part) => (part === '-' ? undefined : part))
}
