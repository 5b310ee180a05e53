/** What is answered: the only file of this adapter that asks the registry. */
import { domainToUnicode } from 'node:url'
import type { Queries } from '@rollcall/core'
import { DEFAULTS, RegistryError, type ViewName } from '@rollcall/wire'
import { escapeName } from '../foreign/names.js'
import { encodeName, recordsWithin, type Query, type ResourceRecord } from './codec.js'
import { draw } from './draw.js'
import type { EndpointCache } from './endpoints.js'
import { type TargetNames, toAddressRecord, zoneData } from './mapping.js'
import { readName, type ServiceLabels, type Zone } from './names.js'
import { CLASS, RCODE, TYPE } from './numbers.js'
import type { RecordKind, ChosenEndpoints } from './selection.js'

/** What an answer says; without records and with a name that exists it is NODATA. */
export interface Reply {
  readonly rcode: number
  readonly records: readonly ResourceRecord[]
}

/** The zone of a registry and how its records look. */
export interface ServedZone extends Zone {
  readonly targets: TargetNames
  readonly ttlSeconds: number
}

export interface NameLookup {
  readonly read: Queries
  readonly endpoints: EndpointCache
  readonly chance: () => number
  /** Seconds since the epoch. */
  readonly serial: number
  /** Where this node is reached, if that is known. */
  readonly address: Uint8Array | undefined
  /** Bytes of the answer at most: no more is drawn than fits. */
  readonly bytesMax: number
}

const NODATA: Reply = { rcode: RCODE.ok, records: [] }
const NO_NAME: Reply = { rcode: RCODE.noName, records: [] }
const TRANSFERS: ReadonlySet<number> = new Set([TYPE.AXFR, TYPE.IXFR, TYPE.MAILA, TYPE.MAILB])
/** Names of ours are no longer. */
const NAME_LENGTH_MAX = 128

/** Answers a query for a name in a zone of this node. */
export function replyTo(query: Query, zone: ServedZone, lookup: NameLookup): Reply {
  if (query.class !== CLASS.IN && query.class !== CLASS.ANY) return { rcode: RCODE.refused, records: [] }
  if (TRANSFERS.has(query.type)) return { rcode: RCODE.notImplemented, records: [] }
  const asked = readName(query.labels, zone)
  switch (asked.kind) {
    case 'service':
      return replyOfService(query.type, asked, zone, lookup)
    case 'zone':
      return replyOfZone(query.type, zone, lookup)
    case 'address':
      return replyOfAddress(query.type, asked.address)
    case 'node':
    case 'nameServer':
      return lookup.address === undefined ? NODATA : replyOfAddress(query.type, lookup.address)
    case 'between':
      return NODATA
    default:
      return NO_NAME
  }
}

function replyOfAddress(type: number, address: Uint8Array): Reply {
  const record = toAddressRecord(address)
  return type === record.type || type === TYPE.ANY ? { rcode: RCODE.ok, records: [record] } : NODATA
}

function replyOfZone(
  type: number,
  { labels, ttlSeconds }: ServedZone,
  { serial, address }: NameLookup,
): Reply {
  const records: ResourceRecord[] = []
  if (type === TYPE.SOA || type === TYPE.ANY)
    records.push({ type: TYPE.SOA, data: zoneData(labels, serial, ttlSeconds) })
  if (type === TYPE.NS || type === TYPE.ANY) {
    const name = ['ns', ...labels]
    const glue =
      address === undefined ? {} : { glue: { ...toAddressRecord(address), nameAt: 0, name: name.join('.') } }
    records.push({ type: TYPE.NS, data: encodeName(name), ...glue })
  }
  return { rcode: RCODE.ok, records }
}

function replyOfService(type: number, labels: ServiceLabels, zone: ServedZone, lookup: NameLookup): Reply {
  const { read, endpoints } = lookup
  const found = findService(read, labels)
  if (found === 'between') return NODATA
  // A node that began with nothing does not know yet that nothing is there; readers keep what they have.
  if (found === undefined) {
    if (read.isStale() && read.services({ limit: 1 }).services.length === 0)
      throw new RegistryError('not_ready', 'the node began with nothing, and nothing has registered yet')
    return NO_NAME
  }
  const { name, tag } = found
  const all = endpoints.of(read, name)
  const { group, zone: place } = labels
  const selection = all.select({ tag, group, zone: place })
  const isConsul = zone.dialect !== 'rollcall'
  if (selection === undefined) {
    const isThere =
      tag === undefined ? group === undefined && place === undefined : all.isEndOfTag(tag) || found.isEnd
    return isThere && !isConsul ? NODATA : NO_NAME
  }
  const records = recordsOf(type, selection, zone.targets, lookup)
  if (records !== undefined) return { rcode: RCODE.ok, records }
  // Consul does not know services without an instance that is well.
  return isConsul ? NO_NAME : NODATA
}

interface FoundService {
  readonly name: ViewName
  readonly tag: string | undefined
  /** Whether the labels are the end of the name of another service. */
  readonly isEnd: boolean
}

/** Tells tag and service apart: the longest name that is a service, else what `_NAME._tcp` and `_NAME._TAG` say. */
function findService(
  read: Queries,
  { before, namespace = DEFAULTS.namespace }: ServiceLabels,
): FoundService | 'between' | undefined {
  const last = before.at(-1) ?? ''
  const first = before[0] ?? ''
  if (last.startsWith('_')) {
    if (before.length === 1 && spellingOf(read, { namespace, service: last }) === undefined) return 'between'
    const service = [first.replace(/^_/, ''), ...before.slice(1, -1)].join('.')
    const name =
      first.startsWith('_') && before.length > 1 ? spellingOf(read, { namespace, service }) : undefined
    if (name !== undefined) return { name, tag: last === '_tcp' ? undefined : last.slice(1), isEnd: false }
    if (before.length > 1 && read.isEndOfName({ namespace, service: before.slice(0, -1).join('.') }))
      return 'between'
  }
  return findPlain(read, before, namespace)
}

/**
 * The service of a name in lower case. Names of other registries that are not ASCII are asked for as IDN: what reads
 * `xn--caf-dma` is `café`, if it is no service as it stands.
 */
function spellingOf(read: Queries, name: ViewName): ViewName | undefined {
  const found = read.spelling(name)
  if (found !== undefined || !name.service.includes('xn--')) return found
  const service = escapeName(domainToUnicode(name.service))
  return service === undefined ? undefined : read.spelling({ ...name, service })
}

function findPlain(
  read: Queries,
  before: readonly string[],
  namespace: string,
): FoundService | 'between' | undefined {
  let found: Omit<FoundService, 'isEnd'> | undefined
  let isEnd = false
  for (let at = before.length - 1; at >= 0; at--) {
    const service = before.slice(at).join('.')
    if (service.length > NAME_LENGTH_MAX) break
    const name = spellingOf(read, { namespace, service })
    if (name !== undefined) found = { name, tag: at === 0 ? undefined : before.slice(0, at).join('.') }
    const goesOn = read.isEndOfName({ namespace, service })
    isEnd = goesOn && at === 0
    if (!goesOn) break
  }
  if (found !== undefined) return { ...found, isEnd }
  return isEnd ? 'between' : undefined
}

const KINDS: Readonly<Record<number, readonly RecordKind[]>> = {
  [TYPE.A]: ['ipv4'],
  [TYPE.AAAA]: ['ipv6'],
  [TYPE.ANY]: ['ipv4', 'ipv6'],
  [TYPE.CNAME]: [],
  [TYPE.SRV]: ['service'],
}

/** The records of a type in the order of a draw; undefined where no instance is left to tell of. */
function recordsOf(
  type: number,
  selection: ChosenEndpoints,
  targets: TargetNames,
  { bytesMax, chance }: NameLookup,
): readonly ResourceRecord[] | undefined {
  const kinds = KINDS[type]
  // One more than fits, so that the writer sees that something is missing.
  const count = recordsWithin(bytesMax) + 1
  const drawn = (kind: RecordKind, most: number): ResourceRecord[] =>
    draw(selection.records(kind, targets), most, chance)
  if (selection.isEmpty) return undefined
  if (kinds === undefined) return []
  const records = kinds.flatMap((kind) => drawn(kind, count))
  return records.length > 0 || type === TYPE.SRV ? records : drawn('alias', 1)
}
