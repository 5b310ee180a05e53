/** Messages of DNS: queries in, answers out. Pure; it copies nothing that it does not send. */
import { MESSAGE_BYTES_MAX, PLAIN_BYTES_MAX, RCODE, TYPE } from './numbers.js'
import { type Glues, RECORD_HEAD_BYTES, type RecordPool, write16, write32, writeHead } from './pool.js'

/** What a client says with EDNS (RFC 6891). */
export interface Edns {
  readonly version: number
  /** The largest datagram it takes, at least 512. */
  readonly bytesMax: number
}

/** What of a query comes back in its answer. */
export interface QueryHead {
  /** What came: its id, its operation and some of its flags are repeated. */
  readonly message: Uint8Array
  /** Where the question ends, which is repeated in the spelling that it came in; it begins there where there is none to repeat. */
  readonly questionEnd: number
  readonly edns: Edns | undefined
}

/** A query that can be answered. */
export interface Query extends QueryHead {
  /** The whole question in lower case, each byte the character with its number: the same for all that ask the same. */
  readonly question: string
  readonly type: number
  readonly class: number
}

/** What arrived: a query, one that is refused with a code, or what is best met with silence. */
export type Received =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'fault'; readonly head: QueryHead; readonly rcode: number }
  | { readonly kind: 'silence' }

const HEADER_BYTES = 12
const NAME_BYTES_MAX = 255
const LABEL_BYTES_MAX = 63
const POINTER = 0xc0
/** Where the question begins. */
const QUESTION_AT = HEADER_BYTES
/** Type and class, behind the name. */
const ASKED_BYTES = 4
/** As far as a pointer reaches. */
const POINTED_MAX = 0x3fff
const FLAG = { answer: 0x8000, authoritative: 0x0400, truncated: 0x0200 } as const
/** The operation, RD and CD. */
const ECHOED_FLAGS = 0x7910
const SILENCE: Received = { kind: 'silence' }

function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

/**
 * Reads a query. Silence is for what is no query: too short to have a header, or an answer, because two servers that answer
 * each other's answers would do so for ever. Anything else that breaks the format is told with FORMERR.
 */
export function readQuery(message: Buffer): Received {
  if (message.length < HEADER_BYTES) return SILENCE
  const flags = read16(message, 2)
  if ((flags & FLAG.answer) !== 0) return SILENCE
  if (((flags >> 11) & 0xf) !== 0) return faultOf(message, RCODE.notImplemented)
  // One question: RFC 9619.
  const questionEnd = read16(message, 4) === 1 ? endOfQuestion(message) : undefined
  if (questionEnd === undefined) return faultOf(message, RCODE.formatError)
  const records = read16(message, 6) + read16(message, 8)
  const edns = readEdns(message, questionEnd, records, read16(message, 10))
  if (edns === 'fault') return faultOf(message, RCODE.formatError, questionEnd)
  if (edns !== undefined && edns.version !== 0) return faultOf(message, RCODE.badVersion, questionEnd, edns)
  const type = read16(message, questionEnd - 4)
  if (type === TYPE.OPT || type === 0) return faultOf(message, RCODE.formatError, questionEnd, edns)
  const question = message.toString('latin1', QUESTION_AT, questionEnd).toLowerCase()
  const asked = { question, type, class: read16(message, questionEnd - 2) }
  return { kind: 'query', query: { message, questionEnd, edns, ...asked } }
}

function faultOf(message: Uint8Array, rcode: number, questionEnd = QUESTION_AT, edns?: Edns): Received {
  return { kind: 'fault', head: { message, questionEnd, edns }, rcode }
}

/** Where the question ends; undefined for one that is cut or whose name points, as none may. */
function endOfQuestion(bytes: Uint8Array): number | undefined {
  let at = QUESTION_AT
  for (;;) {
    const length = bytes[at]
    if (length === undefined || length > LABEL_BYTES_MAX) return undefined
    at += 1 + length
    if (length === 0) break
    if (at > bytes.length || at - QUESTION_AT >= NAME_BYTES_MAX) return undefined
  }
  return at + ASKED_BYTES > bytes.length ? undefined : at + ASKED_BYTES
}

/** The labels of the name of a question, in lower case. Bytes beyond ASCII are the characters with these numbers. */
export function labelsOf({ question }: Query): readonly string[] {
  const labels: string[] = []
  for (let at = 0; ;) {
    const length = question.charCodeAt(at)
    if (length === 0) return labels
    labels.push(question.slice(at + 1, at + 1 + length))
    at += 1 + length
  }
}

/**
 * Looks for OPT among the records behind the question. None of them is asked for, so only their lengths are read; there may
 * be one OPT, in the last section, of the root. What follows the last record does not count.
 */
function readEdns(
  bytes: Uint8Array,
  begin: number,
  others: number,
  additional: number,
): Edns | undefined | 'fault' {
  let at = begin
  let found: Edns | undefined
  for (let record = 0; record < others + additional; record++) {
    const ofRoot = bytes[at] === 0
    const fixed = skipName(bytes, at)
    if (fixed === undefined || fixed + 10 > bytes.length) return 'fault'
    if (read16(bytes, fixed) === TYPE.OPT) {
      if (record < others || !ofRoot || found !== undefined) return 'fault'
      found = {
        version: bytes[fixed + 5] as number,
        bytesMax: Math.max(PLAIN_BYTES_MAX, read16(bytes, fixed + 2)),
      }
    }
    at = fixed + 10 + read16(bytes, fixed + 8)
    if (at > bytes.length) return 'fault'
  }
  return found
}

/** Where a name ends; what it points to is not followed. */
function skipName(bytes: Uint8Array, begin: number): number | undefined {
  let at = begin
  for (;;) {
    const length = bytes[at]
    if (length === undefined) return undefined
    if (length === 0) return at + 1
    if (length >= POINTER) return at + 2
    if (length > LABEL_BYTES_MAX || at + 1 + length - begin >= NAME_BYTES_MAX) return undefined
    at += 1 + length
  }
}

/** A name as bytes, uncompressed. Its labels must be ASCII of up to 63 characters. */
export function encodeName(labels: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(labels.reduce((sum, { length }) => sum + length + 1, 1))
  let at = 0
  for (const label of labels) {
    bytes[at] = label.length
    bytes.write(label, at + 1, 'latin1')
    at += label.length + 1
  }
  bytes[at] = 0
  return bytes
}

/** What is said of a zone where an answer is empty. */
export interface Authority {
  /** How many labels of the question are before those of the zone. */
  readonly labelsBefore: number
  readonly data: Uint8Array
  readonly ttlSeconds: number
}

export interface DnsAnswer {
  readonly rcode: number
  /** Whether the name is in a zone of this server. */
  readonly authoritative: boolean
  readonly records?: RecordPool | undefined
  readonly authority?: Authority
  /** Whether something is missing, whether or not it would have had room. */
  readonly truncated?: boolean
}

/** Whether an answer says that something was left out. */
export function isTruncated(answer: Uint8Array): boolean {
  return (read16(answer, 2) & FLAG.truncated) !== 0
}

/** Answers are written one behind the other into pieces of memory of this size: allocating each by itself takes longer. */
const PIECE_BYTES = 4 * (MESSAGE_BYTES_MAX + 1)

/** Writes answers. */
export class AnswerWriter {
  private bytes = Buffer.allocUnsafeSlow(PIECE_BYTES)
  /** Where the answer begins. */
  private base = 0
  private readonly udpBytesMax: number
  private readonly chance: () => number
  private at = 0
  private limit = 0
  private answers = 0
  /** The number of an answer with addresses: from 1 to 2^32 - 1, and anew. */
  private sequence = 0

  /** `udpBytesMax`: what is told to clients that speak EDNS as the largest datagram of theirs. */
  constructor(udpBytesMax: number, chance: () => number) {
    this.udpBytesMax = udpBytesMax
    this.chance = chance
  }

  /**
   * An answer of at most `bytesMax` bytes: the first records of a draw that fit, then, where all of them did, as many of the
   * addresses behind them as fit. Addresses are a courtesy: without them nothing is truncated (RFC 2181, 9).
   */
  write(head: QueryHead, answer: DnsAnswer, bytesMax: number): Buffer {
    const { edns, questionEnd, message } = head
    const { records, authority } = answer
    if (this.bytes.length - this.base < bytesMax) {
      this.bytes = Buffer.allocUnsafeSlow(PIECE_BYTES)
      this.base = 0
    }
    const { bytes, base } = this
    this.limit = base + bytesMax - (edns === undefined ? 0 : OPT_BYTES)
    this.at = base + QUESTION_AT
    this.copy(message, QUESTION_AT, questionEnd)
    const begin = this.at
    const order = records === undefined ? NO_PLACES : this.records(records)
    const count = records === undefined ? 0 : this.answers
    const told = authority !== undefined && this.authority(head, authority)
    const truncated =
      answer.truncated === true || count < (records?.most ?? 0) || (authority !== undefined && !told)
    const { glues } = records ?? {}
    const glued =
      truncated || records === undefined || glues === undefined
        ? 0
        : this.glue(records, glues, order, count, begin)
    if (edns !== undefined) this.opt(answer.rcode)
    write16(bytes, base, read16(message, 0))
    write16(
      bytes,
      base + 2,
      FLAG.answer |
        (answer.authoritative ? FLAG.authoritative : 0) |
        (truncated ? FLAG.truncated : 0) |
        (read16(message, 2) & ECHOED_FLAGS) |
        (answer.rcode & 0xf),
    )
    write16(bytes, base + 4, questionEnd === QUESTION_AT ? 0 : 1)
    write16(bytes, base + 6, count)
    write16(bytes, base + 8, told ? 1 : 0)
    write16(bytes, base + 10, glued + (edns === undefined ? 0 : 1))
    this.base = this.at
    return bytes.subarray(base, this.at)
  }

  /** Writes the first records of a draw, as many as fit: `answers`. Gives the order of the draw. */
  private records(pool: RecordPool): Uint32Array {
    const { begins } = pool
    const fitting = Math.floor((this.limit - this.at) / pool.shortest)
    const wanted = Math.min(pool.most, Math.max(0, fitting))
    const order = pool.draw(wanted, this.chance)
    let count = 0
    for (; count < wanted; count++) {
      const place = order[count] as number
      const from = begins[place] as number
      const to = begins[place + 1] as number
      if (this.at + to - from > this.limit) break
      this.copy(pool.bytes, from, to)
    }
    this.answers = count
    return order
  }

  /** Whether what is said of the zone had room. */
  private authority({ message }: QueryHead, { labelsBefore, data, ttlSeconds }: Authority): boolean {
    const { bytes, at } = this
    if (at + RECORD_HEAD_BYTES + data.length > this.limit) return false
    const owner = QUESTION_AT + labelsLength(message, labelsBefore)
    writeHead(bytes, at, (POINTER << 8) | owner, TYPE.SOA, ttlSeconds, data.length)
    this.at += RECORD_HEAD_BYTES
    this.copy(data, 0, data.length)
    return true
  }

  /** Writes the addresses of the targets, each once, as many as fit and can be pointed at. `begin`: where the records are. */
  private glue(
    pool: RecordPool,
    { bytes, begins, ofRecord, nameAt, sent }: Glues,
    order: Uint32Array,
    count: number,
    begin: number,
  ): number {
    const answer = (this.sequence = (this.sequence % 0xffffffff) + 1)
    let [glued, recordAt] = [0, begin]
    for (let drawn = 0; drawn < count; drawn++) {
      const place = order[drawn] as number
      const owner = recordAt - this.base + (nameAt[place] as number)
      recordAt += (pool.begins[place + 1] as number) - (pool.begins[place] as number)
      const target = (ofRecord[place] as number) - 1
      if (target < 0 || sent[target] === answer) continue
      const from = begins[target] as number
      const to = begins[target + 1] as number
      if (owner > POINTED_MAX || this.at + to - from > this.limit) break
      sent[target] = answer
      const { at } = this
      this.copy(bytes, from, to)
      write16(this.bytes, at, (POINTER << 8) | owner)
      glued++
    }
    return glued
  }

  /** Byte by byte: for some dozens that is faster than asking the engine to. */
  private copy(from: Uint8Array, begin: number, end: number): void {
    const { bytes } = this
    let { at } = this
    for (let place = begin; place < end; place++) bytes[at++] = from[place] as number
    this.at = at
  }

  private opt(rcode: number): void {
    const { bytes, at } = this
    bytes[at] = 0
    write16(bytes, at + 1, TYPE.OPT)
    write16(bytes, at + 3, this.udpBytesMax)
    write32(bytes, at + 5, (rcode >> 4) << 24)
    write16(bytes, at + 9, 0)
    this.at = at + OPT_BYTES
  }
}

const OPT_BYTES = 11
const NO_PLACES = new Uint32Array(0)

function labelsLength(message: Uint8Array, labels: number): number {
  let at = 0
  for (let label = 0; label < labels; label++) at += 1 + (message[QUESTION_AT + at] as number)
  return at
}
