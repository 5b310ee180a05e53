/** What a record costs in memory, by an estimate that is cheap to make and errs on the high side of what is common. Pure. */
import type { LiveContent, Override, StoredRecord } from './record.js'
import { isLive } from './state.js'

/**
 * An entry with its record, its evidence and its places in maps and sets. Measured after a collection: 800 for a
 * tombstone, 1,100 for an instance, 3,000 for one in a namespace of its own.
 */
const RECORD_BYTES = 1_200

/** A member of a map of strings beside its texts. Measured: 25 where many share their names, 100 where none do. */
const PAIR_BYTES = 64

const PROBE_BYTES = 200
const OVERRIDE_BYTES = 300

/** Bytes that holding the record costs. Costs time by the size of its metadata. */
export function recordBytes(record: StoredRecord): number {
  const { namespace, service, group, id, content, override } = record
  const offered = isLive(record) ? record.content : content.intent === 'gone' ? content.last : undefined
  const names = namespace.length + service.length + group.length + 2 * id.length
  return RECORD_BYTES + names + (offered === undefined ? 0 : contentBytes(offered)) + overrideBytes(override)
}

function contentBytes({ host, protocol = '', zone = '', metadata, probe }: LiveContent): number {
  const bytes = host.length + protocol.length + zone.length + pairsBytes(metadata)
  return probe === undefined ? bytes : bytes + PROBE_BYTES + valueBytes(probe)
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

/** A text that goes beyond Latin-1 takes two bytes for each of its characters. */
function textBytes(text: string): number {
  return /[^\0-\xff]/.test(text) ? 2 * text.length : text.length
}
