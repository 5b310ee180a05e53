/**
 * The bytes of a journal file: one file header, then frames. All numbers are little-endian, all offsets multiples
 * of 16 (payloads are padded with spaces). docs/operating/journal.md has the tables.
 *
 * Why a torn tail can be told from damage:
 * - A frame is written only after the frame before it is durable. So a bad frame with a good one after it was
 *   whole once: damage. Good frames are found by their marker, whose first byte occurs in no UTF-8 text.
 * - The header has its own checksum, so a length that reaches past the end is a length that was really written:
 *   the write was cut short. A damaged length fails the header's checksum.
 * - What a write left out reads as zeros (file systems hand out no stale bytes), in whole sectors. Sectors and frames
 *   begin at multiples of 16, so at least 16 zeros in a row mark an unfinished write. One changed byte never makes
 *   such a run: no payload byte is zero, and the longest run that a change could make in a header is 11.
 */
import { crc32 } from 'node:zlib'

/** Length of the header of a file, and of the header of a frame. */
export const HEADER_BYTES = 32
/**
 * The version this code writes. 2 added to 1: entries of kind `freeze`, the field `restored`, and what a `gone`
 * content last was. 3 made overrides, freezes and declarations registers (`upgrade.ts`). 4 added the field `baseline`, 5
 * entries of kind `epoch`, 6 the field `foreign` and entries of kind `value`.
 */
export const FORMAT_VERSION = 6
/** The oldest version this code reads. */
const FORMAT_VERSION_MIN = 1

const FILE_MAGIC = Buffer.from('ROLLCALL', 'latin1')
const FRAME_MAGIC = Buffer.from([0xff, 0x52, 0x43, 0x46])
const ALIGNMENT = 16
const HOLE = Buffer.alloc(ALIGNMENT)
const KIND_NUMBERS = { log: 1, snapshot: 2, watermark: 3, backup: 4 } as const
const ENTRIES_FRAME = 1
const END_FRAME = 2

/** The files of a directory that hold entries. */
export type FileKind = Exclude<keyof typeof KIND_NUMBERS, 'watermark' | 'backup'>

/** What the header of a file says. */
export interface FileHeader {
  /** Format of everything in the file. */
  readonly version: number
  readonly kind: keyof typeof KIND_NUMBERS
  /** Number of the file; in the watermark: of the log that it is about. */
  readonly number: number
  /**
   * For a log: how many bytes of the log before it count. What lies beyond was never acknowledged. In the watermark:
   * how many bytes of its log are known to be durable. 0 in a snapshot and in a backup.
   */
  readonly sealed: number
}

/** Encodes the header of a file of this version, or as an older one would. */
export function encodeFileHeader(
  header: Omit<FileHeader, 'version'>,
  version: number = FORMAT_VERSION,
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  FILE_MAGIC.copy(bytes)
  bytes.writeUInt16LE(version, 8)
  bytes.writeUInt16LE(KIND_NUMBERS[header.kind], 10)
  bytes.writeUInt32LE(header.number, 12)
  bytes.writeBigUInt64LE(BigInt(header.sealed), 16)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}

/** Reads the header of a file that should be of this kind and, where that is known before, number. */
export function decodeFileHeader(
  bytes: Buffer,
  kind: keyof typeof KIND_NUMBERS,
  number: number = bytes.length < HEADER_BYTES ? 0 : bytes.readUInt32LE(12),
): { readonly header: FileHeader } | { readonly fault: 'damaged' | 'unknown-version'; readonly why: string } {
  if (bytes.length < HEADER_BYTES) return { fault: 'damaged', why: 'the file header is cut off' }
  if (!bytes.subarray(0, 8).equals(FILE_MAGIC) || bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28))) {
    return { fault: 'damaged', why: 'the file header does not match its checksum' }
  }
  // Every version keeps these 32 bytes, so a version that the checksum confirms is really another version.
  const version = bytes.readUInt16LE(8)
  if (version < FORMAT_VERSION_MIN || version > FORMAT_VERSION) {
    return {
      fault: 'unknown-version',
      why: `it has format version ${version} and this Rollcall reads ${FORMAT_VERSION_MIN} to ${FORMAT_VERSION}`,
    }
  }
  if (bytes.readUInt16LE(10) !== KIND_NUMBERS[kind] || bytes.readUInt32LE(12) !== number) {
    return { fault: 'damaged', why: 'the file header belongs to another file' }
  }
  return { header: { version, kind, number, sealed: Number(bytes.readBigUInt64LE(16)) } }
}

/** What a frame is, besides its payload. */
export interface FrameInfo {
  /** Number of the file it belongs to. */
  readonly file: number
  /** Position among the frames of the file, from 0. */
  readonly index: number
  /** Entries in the payload; in the end marker of a snapshot or backup: entries in the whole file. */
  readonly count: number
  readonly end: boolean
}

/** Encodes a frame around UTF-8 text, padded to a multiple of 16 bytes. */
export function encodeFrame(info: FrameInfo, payload: Uint8Array | string): Buffer {
  const text = typeof payload === 'string' ? Buffer.from(payload) : payload
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length)
  bytes.set(text, HEADER_BYTES)
  bytes.fill(0x20, HEADER_BYTES + text.length)
  FRAME_MAGIC.copy(bytes)
  bytes.writeUInt32LE(length, 4)
  bytes.writeUInt32LE(info.count, 8)
  bytes.writeUInt32LE(info.index, 12)
  bytes.writeUInt32LE(info.file, 16)
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_BYTES)), 20)
  bytes.writeUInt32LE(info.end ? END_FRAME : ENTRIES_FRAME, 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}

/** A good frame inside a file. */
export interface Frame extends FrameInfo {
  readonly offset: number
  readonly payload: Buffer
}

/** A stretch of a file that holds no good frame. */
export interface BadStretch {
  readonly offset: number
  readonly bytes: number
  /** `torn`: an unfinished write at the end of the file; `damaged`: anything else. */
  readonly kind: 'torn' | 'damaged'
  readonly why: string
}

/** Everything found after the header of a file, in order. */
export interface Scan {
  readonly frames: readonly Frame[]
  readonly bad: readonly BadStretch[]
}

interface FrameHeader extends FrameInfo {
  readonly length: number
  readonly checksum: number
}

function readFrameHeader(bytes: Buffer, offset: number, file: number): FrameHeader | undefined {
  if (offset + HEADER_BYTES > bytes.length) return undefined
  const header = bytes.subarray(offset, offset + HEADER_BYTES)
  if (header.compare(FRAME_MAGIC, 0, 4, 0, 4) !== 0) return undefined
  if (header.readUInt32LE(28) !== crc32(header.subarray(0, 28)) || header.readUInt32LE(16) !== file)
    return undefined
  return {
    length: header.readUInt32LE(4),
    count: header.readUInt32LE(8),
    index: header.readUInt32LE(12),
    file,
    checksum: header.readUInt32LE(20),
    end: header.readUInt32LE(24) === END_FRAME,
  }
}

function nextFrameHeader(bytes: Buffer, from: number, file: number): number {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at !== -1; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    if (readFrameHeader(bytes, at, file) !== undefined) return at
  }
  return bytes.length
}

/** Whether a part of the stretch never reached the disk. */
function hasHole(bytes: Buffer, start: number, end: number): boolean {
  return bytes.subarray(start, end).includes(HOLE)
}

/** Reads all frames after the file header and classifies everything else. */
export function scanFrames(bytes: Buffer, file: number): Scan {
  const frames: Frame[] = []
  const bad: BadStretch[] = []
  let offset = HEADER_BYTES
  let expected = 0
  const giveUp = (end: number, torn: boolean, why: string): void => {
    const last = end === bytes.length
    bad.push({ offset, bytes: end - offset, kind: last && torn ? 'torn' : 'damaged', why })
    offset = end
  }
  while (offset < bytes.length) {
    const header = readFrameHeader(bytes, offset, file)
    if (header === undefined) {
      const next = nextFrameHeader(bytes, offset + 1, file)
      const torn = bytes.length - offset < HEADER_BYTES || hasHole(bytes, offset, next)
      giveUp(next, torn, 'a frame header is not intact')
      continue
    }
    const start = offset + HEADER_BYTES
    const end = start + header.length
    if (end > bytes.length) {
      const next = nextFrameHeader(bytes, start, file)
      giveUp(next, true, `a frame of ${header.length} bytes is cut off`)
    } else if (crc32(bytes.subarray(start, end)) !== header.checksum) {
      giveUp(end, hasHole(bytes, offset, end), 'a payload does not match its checksum')
    } else if (header.index !== expected && bad.length === 0) {
      bad.push({ offset, bytes: 0, kind: 'damaged', why: `frame ${expected} is missing` })
    } else {
      frames.push({ ...header, offset, payload: bytes.subarray(start, end) })
      expected = header.index + 1
      offset = end
    }
  }
  return { frames, bad }
}
