/** Messages of DNS: queries in, answers out. Pure; it copies nothing that it does not send. */
import { CLASS, MESSAGE_BYTES_MAX, PLAIN_BYTES_MAX, RCODE, TYPE } from './numbers.js'

/** What a client says with EDNS (RFC 6891). */
export interface Edns {
  readonly version: number
  /** The largest datagram it takes, at least 512. */
  readonly bytesMax: number
}

/** What of a query comes back in its answer. */
export interface QueryHead {
  readonly id: number
  readonly opcode: number
  /** RD and CD, as they stand in the flags. */
  readonly echoedFlags: number
  /** The question as it came, in the spelling that it came in; empty where there is none to repeat. */
  readonly question: Uint8Array
  readonly edns: Edns | undefined
}

/** A query that can be answered. */
export interface Query extends QueryHead {
  /** The name asked for in lower case. Bytes beyond ASCII are the characters with these numbers. */
  readonly labels: readonly string[]
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
/** As far as a pointer reaches. */
const POINTED_MAX = 0x3fff
const FLAG = { answer: 0x8000, authoritative: 0x0400, truncated: 0x0200, rd: 0x0100, cd: 0x0010 } as const
const SILENCE: Received = { kind: 'silence' }
const NO_BYTES = new Uint8Array(0)

/**
 * Reads a query. Silence is for what is no query: too short to have a header, or an answer, because two servers that answer
 * each other's answers would do so for ever. Anything else that breaks the format is told with FORMERR.
 */
export function readQuery(bytes: Buffer): Received {
  if (bytes.length < HEADER_BYTES) return SILENCE
  const flags = bytes.readUInt16BE(2)
  if ((flags & FLAG.answer) !== 0) return SILENCE
  const bare = {
    id: bytes.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    echoedFlags: flags & (FLAG.rd | FLAG.cd),
    question: NO_BYTES,
    edns: undefined,
  }
  if (bare.opcode !== 0) return { kind: 'fault', head: bare, rcode: RCODE.notImplemented }
  // One question: RFC 9619.
  const asked = bytes.readUInt16BE(4) === 1 ? readQuestion(bytes) : undefined
  if (asked === undefined) return { kind: 'fault', head: bare, rcode: RCODE.formatError }
  const { labels, end } = asked
  const type = bytes.readUInt16BE(end - 4)
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8)
  const edns = readEdns(bytes, end, records, bytes.readUInt16BE(10))
  const question = bytes.subarray(QUESTION_AT, end)
  if (edns === 'fault') return { kind: 'fault', head: { ...bare, question }, rcode: RCODE.formatError }
  const head = { ...bare, question, edns }
  if (edns !== undefined && edns.version !== 0) return { kind: 'fault', head, rcode: RCODE.badVersion }
  if (type === TYPE.OPT || type === 0) return { kind: 'fault', head, rcode: RCODE.formatError }
  return { kind: 'query', query: { ...head, labels, type, class: bytes.readUInt16BE(end - 2) } }
}

/** The name of the question, and where the question ends; undefined for one that is cut or that points, as none may. */
function readQuestion(
  bytes: Buffer,
): { readonly labels: readonly string[]; readonly end: number } | undefined {
  const labels: string[] = []
  let at = QUESTION_AT
  for (;;) {
    const length = bytes[at]
    if (length === undefined || length > LABEL_BYTES_MAX) return undefined
    at++
    if (length === 0) break
    if (at + length > bytes.length || at + length - QUESTION_AT >= NAME_BYTES_MAX) return undefined
    labels.push(bytes.toString('latin1', at, at + length).toLowerCase())
    at += length
  }
  return at + 4 > bytes.length ? undefined : { labels, end: at + 4 }
}

/**
 * Looks for OPT among the records behind the question. None of them is asked for, so only their lengths are read; there may
 * be one OPT, in the last section, of the root. What follows the last record does not count.
 */
function readEdns(
  bytes: Buffer,
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
    if (bytes.readUInt16BE(fixed) === TYPE.OPT) {
      if (record < others || !ofRoot || found !== undefined) return 'fault'
      found = {
        version: bytes[fixed + 5] as number,
        bytesMax: Math.max(PLAIN_BYTES_MAX, bytes.readUInt16BE(fixed + 2)),
      }
    }
    at = fixed + 10 + bytes.readUInt16BE(fixed + 8)
    if (at > bytes.length) return 'fault'
  }
  return found
}

/** Where a name ends; what it points to is not followed. */
function skipName(bytes: Buffer, begin: number): number | undefined {
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

/** A record of the answer: it belongs to the name that was asked for. */
export interface ResourceRecord {
  readonly type: number
  readonly data: Uint8Array
  /** The address behind the name at the end of `data`, which the reader would ask for next. */
  readonly glue?: Glue
}

export interface Glue {
  readonly type: number
  readonly data: Uint8Array
  /** Where in the data of its record the name begins. */
  readonly nameAt: number
  /** The name, by which the same is not told twice. */
  readonly name: string
}

/** What is said of a zone where an answer is empty. */
export interface Authority {
  /** How many labels of the question are before those of the zone. */
  readonly labelsBefore: number
  readonly data: Uint8Array
}

export interface DnsAnswer {
  readonly rcode: number
  /** Whether the name is in a zone of this server. */
  readonly authoritative: boolean
  readonly ttlSeconds: number
  readonly records: readonly ResourceRecord[]
  readonly authority?: Authority
  /** Whether something is missing, whether or not it would have had room. */
  readonly truncated?: boolean
}

/** Most records of an answer of this many bytes: the shortest is an A record. */
export function recordsWithin(bytesMax: number): number {
  return Math.ceil((bytesMax - HEADER_BYTES) / 16)
}

/** Writes answers, one after the other, into the same memory. */
export class AnswerWriter {
  private readonly bytes = Buffer.allocUnsafe(MESSAGE_BYTES_MAX)
  private readonly udpBytesMax: number
  private at = 0
  private limit = 0

  /** `udpBytesMax`: what is told to clients that speak EDNS as the largest datagram of theirs. */
  constructor(udpBytesMax: number) {
    this.udpBytesMax = udpBytesMax
  }

  /**
   * An answer of at most `bytesMax` bytes, and whether it had to leave something out: the first records that fit, then, where
   * all of them did, as many of the addresses behind them as fit. Addresses are a courtesy: without them nothing is
   * truncated (RFC 2181, 9).
   */
  write(
    head: QueryHead,
    answer: DnsAnswer,
    bytesMax: number,
  ): { readonly bytes: Buffer; readonly truncated: boolean } {
    const { bytes } = this
    const { question, edns } = head
    const { records, authority, ttlSeconds } = answer
    this.limit = bytesMax - (edns === undefined ? 0 : OPT_BYTES)
    bytes.set(question, QUESTION_AT)
    this.at = QUESTION_AT + question.length
    const begins: number[] = []
    for (const record of records) {
      const begin = this.record(QUESTION_AT, record, ttlSeconds)
      if (begin === undefined) break
      begins.push(begin)
    }
    let truncated = answer.truncated === true || begins.length < records.length
    const owner = authority === undefined ? 0 : QUESTION_AT + labelsLength(question, authority.labelsBefore)
    const told =
      authority !== undefined &&
      this.record(owner, { type: TYPE.SOA, data: authority.data }, ttlSeconds) !== undefined
    truncated ||= authority !== undefined && !told
    const glues = truncated ? 0 : this.glue(records, begins, ttlSeconds)
    if (edns !== undefined) this.opt(answer.rcode)
    const flags =
      FLAG.answer |
      (head.opcode << 11) |
      (answer.authoritative ? FLAG.authoritative : 0) |
      (truncated ? FLAG.truncated : 0) |
      head.echoedFlags |
      (answer.rcode & 0xf)
    this.header(head, flags, [begins.length, told ? 1 : 0, glues + (edns === undefined ? 0 : 1)])
    return { bytes: Buffer.from(bytes.subarray(0, this.at)), truncated }
  }

  private header(
    { id, question }: QueryHead,
    flags: number,
    counts: readonly [number, number, number],
  ): void {
    const { bytes } = this
    bytes.writeUInt16BE(id, 0)
    bytes.writeUInt16BE(flags, 2)
    bytes.writeUInt16BE(question.length === 0 ? 0 : 1, 4)
    for (const [place, count] of counts.entries()) bytes.writeUInt16BE(count, 6 + place * 2)
  }

  /** Where the data of the record went; undefined, with nothing written, where it has no room. */
  private record(owner: number, { type, data }: ResourceRecord, ttlSeconds: number): number | undefined {
    const { bytes, at } = this
    if (at + 12 + data.length > this.limit) return undefined
    bytes.writeUInt16BE((POINTER << 8) | owner, at)
    bytes.writeUInt16BE(type, at + 2)
    bytes.writeUInt16BE(CLASS.IN, at + 4)
    bytes.writeUInt32BE(ttlSeconds, at + 6)
    bytes.writeUInt16BE(data.length, at + 10)
    bytes.set(data, at + 12)
    this.at = at + 12 + data.length
    return at + 12
  }

  private glue(records: readonly ResourceRecord[], begins: readonly number[], ttlSeconds: number): number {
    const named = new Set<string>()
    for (const [place, { glue }] of records.entries()) {
      if (glue === undefined || named.has(glue.name)) continue
      const owner = (begins[place] as number) + glue.nameAt
      if (owner > POINTED_MAX || this.record(owner, glue, ttlSeconds) === undefined) break
      named.add(glue.name)
    }
    return named.size
  }

  private opt(rcode: number): void {
    const { bytes, at } = this
    bytes[at] = 0
    bytes.writeUInt16BE(TYPE.OPT, at + 1)
    bytes.writeUInt16BE(this.udpBytesMax, at + 3)
    bytes.writeUInt32BE((rcode >> 4) << 24, at + 5)
    bytes.writeUInt16BE(0, at + 9)
    this.at = at + OPT_BYTES
  }
}

const OPT_BYTES = 11

function labelsLength(question: Uint8Array, labels: number): number {
  let at = 0
  for (let label = 0; label < labels; label++) at += 1 + (question[at] as number)
  return at
}
