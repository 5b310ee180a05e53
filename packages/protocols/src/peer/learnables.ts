/**
 * Records and declarations that a peer sends: what is taken of them, and what they weigh. Fields that this version does not know
 * are kept, because nodes of two versions work on one record; words that it does not know are refused with their entry.
 */
import { type Declaration, isLearnable, type Learnable, type StoredRecord } from '@rollcall/core'
import { isJsonObject } from '@rollcall/wire/shapes'

/** The entry itself; undefined where this version cannot read it. */
export function readLearnable(value: unknown): Learnable | undefined {
  return isLearnable(value) ? value : undefined
}

/** About the bytes of an entry as JSON, without making it: for the bound of what waits. */
export function learnableBytes(entry: Learnable | Declaration): number {
  return entry.kind === 'record' ? recordBytes(entry.record) : 256 + valueBytes(entry.register.value)
}

/** Names of fields, numbers and the other words of a record. */
const RECORD_BYTES = 420

function recordBytes({ namespace, service, group, id, content, override }: StoredRecord): number {
  const live = content.intent === 'gone' ? content.last : content
  let bytes = RECORD_BYTES + namespace.length + service.length + group.length + id.length
  if (override !== undefined) bytes += 256
  if (live === undefined) return bytes
  bytes += live.host.length + valueBytes(live.metadata)
  // Its quotation marks are escaped in a JSON text around it.
  if (live.foreign !== undefined)
    bytes += 32 + live.foreign.protocol.length + 1.25 * live.foreign.document.length
  return live.probe === undefined ? bytes : bytes + valueBytes(live.probe)
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 3
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + valueBytes(each), 2)
  if (!isJsonObject(value)) return 6
  let bytes = 2
  for (const name in value) bytes += name.length + 4 + valueBytes(value[name])
  return bytes
}
