/**
 * Entries to bytes and back. A frame's payload is JSON: an array of slices, each an array of rows.
 *
 * A row of a live record is an array with only the fields that differ from the live record before it in the
 * same frame, in the order of `FIELDS`, followed by a number whose bit k says that field k is there. Neighbours
 * share most fields, so this is a quarter of the bytes of plain objects and, measured with 100,000 registrations,
 * about three times as fast in both directions. `null` stands for an absent field. Every other entry is a row that
 * is the entry itself, as an object. Frames do not depend on each other.
 *
 * A new field of a record or a register means a new bit and a new file version: an old reader refuses what it does not know.
 */
import type {
  Foreign,
  JournalEntry,
  LiveContent,
  Override,
  Register,
  StoredRecord,
  Verdict,
  Wishes,
} from '@rollcall/core'
import { JournalError } from './journal-error.js'
import { JsonBytes } from './json-bytes.js'

const FIELDS = [
  'namespace',
  'service',
  'group',
  'id',
  'incarnation',
  'intent',
  'rev',
  'host',
  'port',
  'protocol',
  'weight',
  'zone',
  'metadata',
  'leaseMs',
  'liveness',
  'probe',
  'named',
  'peer',
  'digest',
  'value',
  'claim',
  'node',
  'seq',
  'reason',
  'override',
  'restored',
  'baseline',
  'foreign',
] as const
const FIELD_COUNT = FIELDS.length

// A field that is added to a record but not here would be lost at the next restart. One that is added to a register would
// not, because registers are written whole, but an older reader does not know it: both mean a new file version. Then
// these do not compile.
type Field = (typeof FIELDS)[number] | 'content' | 'verdict'
type RegisterField = 'counter' | 'node' | 'value' | 'by' | 'why'
type WishesField = 'drain' | 'disable' | 'weight' | 'durationMs'
type Forgotten = [
  Exclude<keyof RecordEntry, 'kind' | 'record' | Field>,
  Exclude<keyof StoredRecord | keyof LiveContent | keyof Verdict, Field>,
  Exclude<keyof Register<unknown>, RegisterField>,
  Exclude<keyof Wishes, WishesField>,
]
const NOTHING_FORGOTTEN: Forgotten extends [never, never, never, never] ? true : Forgotten = true

/** Rows per slice. A frame is measured against its size limit after each. */
const SLICE_ENTRIES = 512

/** Bytes of a typical row, to begin with about as much memory as will be needed. */
const ROW_BYTES_GUESS = 192

const COMMA = 0x2c
const BRACKET_OPEN = 0x5b
const BRACKET_CLOSE = 0x5d

/** How much one frame may hold. */
export interface FrameLimits {
  readonly entriesMax: number
  /** Checked after each slice, so a frame may pass it by one slice. */
  readonly bytesMax: number
}

type RecordEntry = Extract<JournalEntry, { readonly kind: 'record' }>

type LiveEntry = RecordEntry & { readonly record: { readonly content: LiveContent } }

function isLive(entry: JournalEntry): entry is LiveEntry {
  return entry.kind === 'record' && entry.record.content.intent !== 'gone'
}

/**
 * Writes rows. Compares member by member instead of building rows in memory: a fresh record costs less than a
 * microsecond and leaves no garbage.
 */
class RowWriter {
  readonly #json: JsonBytes
  #before: LiveEntry | undefined
  /** Whether every field is written, because there is no record before. */
  #all = true
  #mask = 0

  constructor(json: JsonBytes) {
    this.#json = json
  }

  /** The numbers are those of `FIELDS`, and have to come in that order. */
  write(entry: LiveEntry): void {
    const json = this.#json
    const { record } = entry
    const { content, verdict } = record
    const { record: before, baseline: oldBaseline } = this.#before ?? entry
    const { content: old, verdict: oldVerdict } = before
    this.#mask = 0
    json.byte(BRACKET_OPEN)
    this.#string(0, record.namespace, before.namespace)
    this.#string(1, record.service, before.service)
    this.#string(2, record.group, before.group)
    this.#string(3, record.id, before.id)
    this.#number(4, record.incarnation, before.incarnation)
    this.#string(5, content.intent, old.intent)
    this.#number(6, content.rev, old.rev)
    this.#string(7, content.host, old.host)
    this.#number(8, content.port, old.port)
    this.#string(9, content.protocol, old.protocol)
    this.#number(10, content.weight, old.weight)
    this.#string(11, content.zone, old.zone)
    if (this.#differs(12, content.metadata, old.metadata)) {
      json.strings(content.metadata)
      json.byte(COMMA)
    }
    this.#number(13, content.leaseMs, old.leaseMs)
    this.#string(14, content.liveness, old.liveness)
    this.#value(15, content.probe, old.probe)
    this.#value(16, content.named, old.named)
    this.#string(17, content.peer, old.peer)
    this.#string(18, content.digest, old.digest)
    // Fresh records share one verdict.
    if (this.#all || verdict !== oldVerdict) {
      this.#string(19, verdict.value, oldVerdict.value)
      this.#number(20, verdict.claim, oldVerdict.claim)
      this.#string(21, verdict.node, oldVerdict.node)
      this.#number(22, verdict.seq, oldVerdict.seq)
      this.#string(23, verdict.reason, oldVerdict.reason)
    }
    this.#value(24, record.override, before.override)
    this.#value(25, content.restored, old.restored)
    this.#value(26, entry.baseline, oldBaseline)
    this.#value(27, content.foreign, old.foreign)
    json.number(this.#mask)
    json.byte(BRACKET_CLOSE)
    this.#before = entry
    this.#all = false
  }

  #differs(field: number, value: unknown, before: unknown): boolean {
    if (value === before && !this.#all) return false
    this.#mask |= 1 << field
    return true
  }

  #string(field: number, value: string | undefined, before: string | undefined): void {
    if (!this.#differs(field, value, before)) return
    if (value === undefined) this.#json.value(null)
    else this.#json.string(value)
    this.#json.byte(COMMA)
  }

  #number(field: number, value: number, before: number): void {
    if (!this.#differs(field, value, before)) return
    this.#json.number(value)
    this.#json.byte(COMMA)
  }

  #value(field: number, value: unknown, before: unknown): void {
    if (!this.#differs(field, value, before)) return
    this.#json.value(value ?? null)
    this.#json.byte(COMMA)
  }
}

/** Encodes entries from `start` on until a limit is reached. At least one entry is always taken. */
export function encodeEntries(
  entries: readonly JournalEntry[],
  start: number,
  limits: FrameLimits,
): { readonly payload: Uint8Array; readonly taken: number } {
  const end = Math.min(entries.length, start + limits.entriesMax)
  const json = new JsonBytes((end - start) * ROW_BYTES_GUESS)
  const rows = new RowWriter(json)
  let position = start
  while (position < end && json.length < limits.bytesMax) {
    json.byte(position === start ? BRACKET_OPEN : COMMA)
    const sliceStart = position
    const sliceEnd = Math.min(end, position + SLICE_ENTRIES)
    for (; position < sliceEnd; position++) {
      json.byte(position === sliceStart ? BRACKET_OPEN : COMMA)
      const entry = entries[position] as JournalEntry
      if (isLive(entry)) rows.write(entry)
      else json.value(entry)
    }
    json.byte(BRACKET_CLOSE)
  }
  if (position === start) json.byte(BRACKET_OPEN)
  json.byte(BRACKET_CLOSE)
  return { payload: json.written(), taken: position - start }
}

interface LiveRow extends Omit<LiveContent, 'protocol' | 'zone' | 'probe' | 'peer' | 'restored' | 'foreign'> {
  protocol?: string
  zone?: string
  probe?: NonNullable<LiveContent['probe']>
  peer?: string
  restored?: true
  foreign?: Foreign
}

// The checksum vouches for the row: the casts trust what this very file wrote.
function entryOf(f: readonly unknown[]): RecordEntry {
  const content: LiveRow = {
    intent: f[5] as LiveContent['intent'],
    rev: f[6] as number,
    host: f[7] as string,
    port: f[8] as number,
    weight: f[10] as number,
    metadata: f[12] as LiveContent['metadata'],
    leaseMs: f[13] as number,
    liveness: f[14] as LiveContent['liveness'],
    named: f[16] as boolean,
    digest: f[18] as string,
  }
  if (f[9] !== null) content.protocol = f[9] as string
  if (f[11] !== null) content.zone = f[11] as string
  if (f[15] !== null) content.probe = f[15] as NonNullable<LiveContent['probe']>
  if (f[17] !== null) content.peer = f[17] as string
  // Absent, not null, in files of version 1.
  if (f[25] === true) content.restored = true
  // Absent, not null, before version 6.
  if (isForeign(f[27])) content.foreign = f[27]
  const verdict: Verdict = {
    value: f[19] as Verdict['value'],
    claim: f[20] as number,
    node: f[21] as string,
    seq: f[22] as number,
    reason: f[23] as string,
  }
  const record: StoredRecord = {
    namespace: f[0] as string,
    service: f[1] as string,
    group: f[2] as string,
    id: f[3] as string,
    incarnation: f[4] as number,
    content,
    verdict,
    ...(f[24] === null ? {} : { override: f[24] as Override }),
  }
  // Absent, not null, before version 4.
  return f[26] === true ? { kind: 'record', record, baseline: true } : { kind: 'record', record }
}

function isForeign(value: unknown): value is Foreign {
  return typeof value === 'object' && value !== null
}

function applyRow(fields: unknown[], row: readonly unknown[]): boolean {
  const mask = row[row.length - 1]
  if (typeof mask !== 'number' || mask >>> 0 !== mask || mask >= 2 ** FIELD_COUNT) return false
  let next = 0
  for (let k = 0; k < FIELD_COUNT; k++) if ((mask & (1 << k)) !== 0) fields[k] = row[next++]
  return NOTHING_FORGOTTEN && next === row.length - 1
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Decodes a payload whose checksum was right, and calls `each` with its entries in order, as the version of their file
 * has them (`upgrade.ts` reads them for this version). Throws JournalError
 * `damaged` (without a place) when it is no payload all the same: then the writer had a fault.
 */
export function decodeEntries(payload: Uint8Array, each: (entry: unknown) => void): void {
  let slices: unknown
  try {
    slices = JSON.parse(UTF8.decode(payload))
  } catch (error) {
    throw new JournalError('damaged', 'the payload is not JSON although its checksum is right', {
      cause: error,
    })
  }
  const fields: unknown[] = Array.from({ length: FIELD_COUNT }, () => undefined)
  for (const slice of slices as readonly (readonly unknown[])[]) {
    for (const row of slice) {
      if (!Array.isArray(row)) each(row)
      else if (applyRow(fields, row)) each(entryOf(fields))
      else throw new JournalError('damaged', 'a row has fields that this version does not know')
    }
  }
}
