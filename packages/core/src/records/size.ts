/** What a record costs in memory, by an estimate that is cheap to make and errs on the high side of what is common. Pure. */
import type { Foreign, LiveContent, Override, StoredRecord } from './record.js'
import { isLive } from './state.js'

/**
 * What is left of a record once it is deregistered: an entry with its record and its places in maps and sets. Measured
 * after a collection: 690.
 */
const TOMBSTONE_BYTES = 800

/** What holds what an instance offers, and the evidence about it. Measured: 300, and 580 in a tombstone that keeps it. */
const OFFER_BYTES = 400

/** A member of a map of strings beside its texts. Measured: 25 where many share their names, 100 where none do. */
const PAIR_BYTES = 64

const PROBE_BYTES = 200
const OVERRIDE_BYTES = 300

/** The object beside its texts. */
const FOREIGN_BYTES = 64

/** Bytes that holding the record costs. Costs time by the size of its metadata. */
export function recordBytes(record: StoredRecord): number {
  const { content } = record
  const offered = isLive(record) ? record.content : content.intent === 'gone' ? content.last : undefined
  return tombstoneBytes(record) + (offered === undefined ? 0 : OFFER_BYTES + contentBytes(offered))
}

/** Bytes of it that are held until it is forgotten, whether or not it is deregistered. */
export function tombstoneBytes({ namespace, service, group, id, override }: StoredRecord): number {
  const names = namespace.length + service.length + group.length + 2 * id.length
  return TOMBSTONE_BYTES + names + overrideBytes(override)
}

function contentBytes({ host, protocol = '', zone = '', metadata, probe, foreign }: LiveContent): number {
  const bytes = host.length + protocol.length + zone.length + pairsBytes(metadata) + foreignBytes(foreign)
  return probe === undefined ? bytes : bytes + PROBE_BYTES + valueBytes(probe)
}

function foreignBytes(foreign: Foreign | undefined): number {
  return foreign === undefined ? 0 : FOREIGN_BYTES + textBytes(foreign.protocol) + textBytes(foreign.document)
}

function overrideBytes(override: Override | undefined): number {
  if (override === undefined) return 0
  return OVERRIDE_BYTES + textBytes(override.by ?? '') + textBytes(override.why ?? '')
}

function pairsBytes(pairs: Readonly<Record<string, string>>): number {
  let bytes = 0
  for (const name in pairs) bytes += PAIR_BYTES + textBytes(name) + textBytes(pairs[name] as string)
  return bytes
}

/** Bytes of plain data: its texts, and what its members cost. */
export function valueBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value)
  if (typeof value !== 'object' || value === null) return 0
  let bytes = 0
  for (const [name, member] of Object.entries(value))
    bytes += PAIR_BYTES + (Array.isArray(value) ? 0 : textBytes(name)) + valueBytes(member)
  return bytes
}

/** Out here, because a literal within the function is a new object for each text. */
const BEYOND_LATIN_1 = /[^\0-\xff]/

/** A text that goes beyond Latin-1 takes two bytes for each of its characters. */
function textBytes(text: string): number {
  return BEYOND_LATIN_1.test(text) ? 2 * text.length : text.length
}
