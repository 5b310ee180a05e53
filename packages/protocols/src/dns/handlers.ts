/** What is answered: the only file of this adapter that asks the registry. */
import { domainToUnicode } from 'node:url'
import type { Queries } from '@rollcall/core'
import { DEFAULTS, RegistryError, type ViewName } from '@rollcall/wire'
import { escapeName } from '../foreign/names.js'
import { encodeName, labelsOf, type Query } from './codec.js'
import type { EndpointCache } from './endpoints.js'
import { toAddressRecord, zoneData } from './mapping.js'
import { readName, type ServiceLabels, type Zone } from './names.js'
import { CLASS, RCODE, TYPE } from './numbers.js'
import { PoolBuilder, type RecordPool, type ResourceRecord } from './pool.js'
import type { ChosenEndpoints, RecordKind, RecordZone } from './selection.js'
import type { Steps } from './steps.js'

/** What an answer says; without records and with a name that exists it is NODATA. */
export interface Reply {
  readonly rcode: number
  readonly records?: RecordPool
  /** It is the same until something changes in the registry. */
  readonly isLasting?: boolean
}

/** The zone of a registry and how its records look. */
export interface ServedZone extends Zone, RecordZone {}

export interface NameLookup {
  readonly read: Queries
  readonly endpoints: EndpointCache
  /** Seconds since the epoch. */
  readonly serial: () => number
  /** Where this node is reached, if that is known. */
  readonly address: readonly number[] | undefined
}

const NODATA: Reply = { rcode: RCODE.ok }
const NO_NAME: Reply = { rcode: RCODE.noName }
const TRANSFERS: ReadonlySet<number> = new Set([TYPE.AXFR, TYPE.IXFR, TYPE.MAILA, TYPE.MAILB])
/** Names of ours are no longer. */
const NAME_LENGTH_MAX = 128

/** Answers a query for a name in a zone of this node. */
export function* replyTo(query: Query, zone: ServedZone, lookup: NameLookup): Steps<Reply> {
  if (query.class !== CLASS.IN && query.class !== CLASS.ANY) return { rcode: RCODE.refused }
  if (TRANSFERS.has(query.type)) return { rcode: RCODE.notImplemented }
  const asked = readName(labelsOf(query), zone)
  switch (asked.kind) {
    case 'service':
      return yield* replyOfService(query.type, asked, zone, lookup)
    case 'zone':
      return replyOfZone(query.type, zone, lookup)
    case 'address':
      return replyOfAddress(query.type, asked.address, zone)
    case 'node':
    case 'nameServer':
      return lookup.address === undefined ? NODATA : replyOfAddress(query.type, lookup.address, zone)
    case 'between':
      return NODATA
    default:
      return NO_NAME
  }
}

function replyOf(zone: RecordZone, records: readonly ResourceRecord[]): Reply {
  const pool = new PoolBuilder(zone.ttlSeconds)
  for (const record of records) pool.add(record)
  return { rcode: RCODE.ok, records: pool.build() }
}

function replyOfAddress(type: number, address: ArrayLike<number>, zone: RecordZone): Reply {
  const record = toAddressRecord(address)
  return type === record.type || type === TYPE.ANY ? replyOf(zone, [record]) : NODATA
}

function replyOfZone(type: number, zone: ServedZone, { serial, address }: NameLookup): Reply {
  const { labels, ttlSeconds } = zone
  const records: ResourceRecord[] = []
  if (type === TYPE.SOA || type === TYPE.ANY)
    records.push({ type: TYPE.SOA, data: zoneData(labels, serial(), ttlSeconds) })
  if (type === TYPE.NS || type === TYPE.ANY) {
    const name = ['ns', ...labels]
    const glue =
      address === undefined ? {} : { glue: { ...toAddressRecord(address), nameAt: 0, name: name.join('.') } }
    records.push({ type: TYPE.NS, data: encodeName(name), ...glue })
  }
  return replyOf(zone, records)
}

function* replyOfService(
  type: number,
  labels: ServiceLabels,
  zone: ServedZone,
  { read, endpoints }: NameLookup,
): Steps<Reply> {
  const found = findService(read, labels)
  if (found === 'between') return NODATA
  // A node that began with nothing does not know yet that nothing is there; readers keep what they have.
  if (found === undefined) {
    if (read.isStale() && read.services({ limit: 1 }).services.length === 0)
      throw new RegistryError('not_ready', 'the node began with nothing, and nothing has registered yet')
    return NO_NAME
  }
  const { name, tag } = found
  const { endpoints: all, isCurrent } = yield* endpoints.of(read, name)
  const { group, zone: place } = labels
  const selection = yield* all.select({ tag, group, zone: place })
  const isConsul = zone.dialect !== 'rollcall'
  if (selection === undefined) {
    const isThere =
      tag === undefined
        ? group === undefined && place === undefined
        : found.isEnd || (yield* all.isEndOfTag(tag))
    return isThere && !isConsul ? NODATA : NO_NAME
  }
  // Consul does not know services without an instance that is well.
  if (selection.isEmpty) return isConsul ? NO_NAME : NODATA
  const records = yield* recordsOf(type, selection, zone)
  return records === undefined ? NODATA : { rcode: RCODE.ok, records, isLasting: isCurrent }
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

const KINDS: Readonly<Record<number, RecordKind>> = {
  [TYPE.A]: 'ipv4',
  [TYPE.AAAA]: 'ipv6',
  [TYPE.ANY]: 'address',
  [TYPE.CNAME]: 'alias',
  [TYPE.SRV]: 'service',
}

/** The records of a type; undefined where there are none of it, of no instance. */
function* recordsOf(
  type: number,
  selection: ChosenEndpoints,
  zone: RecordZone,
): Steps<RecordPool | undefined> {
  const kind = KINDS[type]
  if (kind === undefined) return undefined
  const records = yield* selection.records(kind, zone)
  if (records.size > 0 || kind === 'service') return records
  const aliases = yield* selection.records('alias', zone)
  return aliases.size > 0 ? aliases : undefined
}
