/**
 * The two messages of `grpc.health.v1.Health/Check` as gRPC frames them: a byte that says whether the message
 * is compressed, its length in four, and the message in protobuf. Two fields are not worth a library.
 */

/** What a response says of the service, or that it is none. Numbers as in `HealthCheckResponse.ServingStatus`. */
export type ServingStatus = (typeof STATUSES)[number] | 'malformed'

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
const FRAME_HEADER_BYTES = 5

/** A frame with a request for the health of a service; empty = of the server as a whole. */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  // A field with its default value is not written.
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

/** Reads a body that must be exactly one frame. Fields this version does not know are passed over. */
export function decodeHealthResponse(body: Buffer): ServingStatus {
  if (body.length < FRAME_HEADER_BYTES || body[0] !== 0) return 'malformed'
  if (body.readUInt32BE(1) !== body.length - FRAME_HEADER_BYTES) return 'malformed'
  const reader = { bytes: body, at: FRAME_HEADER_BYTES }
  let status = 0
  while (reader.at < body.length) {
    const tag = readVarint(reader)
    if (tag === undefined) return 'malformed'
    if (tag === 0x08) {
      const value = readVarint(reader)
      if (value === undefined) return 'malformed'
      status = value
    } else if (!skip(reader, tag & 7)) return 'malformed'
  }
  return STATUSES[status] ?? 'UNKNOWN'
}

interface Reader {
  readonly bytes: Buffer
  at: number
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

/** At most ten bytes; undefined when they do not end. */
function readVarint(reader: Reader): number | undefined {
  let value = 0
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
  return undefined
}

/** Passes over the value of a field; false when it has no end, or is of a kind that protobuf gave up. */
function skip(reader: Reader, wireType: number): boolean {
  if (wireType === 0) return readVarint(reader) !== undefined
  const length = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? readVarint(reader) : undefined
  if (length === undefined) return false
  reader.at += length
  return reader.at <= reader.bytes.length
}
