/** From instances to endpoints and their records. Pure. */
import { type Instance, parseAddress } from '@rollcall/wire'
import { encodeName } from './codec.js'
import { TYPE } from './numbers.js'
import type { ResourceRecord } from './pool.js'

/** How an endpoint may be answered: `last`, where none is left that is known to live; `not` at all. */
export type Eligibility = 'good' | 'last' | 'not'

/** An instance as far as DNS tells of it. What it is chosen by is in lower case, as names of DNS have no case. */
export interface Endpoint {
  readonly eligibility: Eligibility
  readonly host: string
  /** Undefined for a host name. */
  readonly address: readonly number[] | undefined
  readonly port: number
  readonly weight: number
  readonly group: string
  readonly zone: string | undefined
  readonly tags: readonly string[]
}

const ELIGIBILITY: Readonly<Record<Instance['state'], Eligibility>> = {
  up: 'good',
  suspect: 'last',
  starting: 'not',
  draining: 'not',
  down: 'not',
  disabled: 'not',
}

/** Keys of the metadata that list tags, separated by commas: that of native clients, and that of Consul's. */
const TAGS_KEYS: readonly string[] = ['tags', 'consul-tags']

/** A longer tag is no part of a name. */
const TAG_LENGTH_MAX = 253

/** An instance as an endpoint. */
export function toEndpoint({ host, port, weight, group, zone, metadata, state }: Instance): Endpoint {
  const address = parseAddress(host)
  return {
    eligibility: ELIGIBILITY[state],
    host: host.toLowerCase().replace(/\.$/, ''),
    address,
    port,
    weight,
    group: group.toLowerCase(),
    zone: zone?.toLowerCase(),
    tags: tagsOf(metadata),
  }
}

function tagsOf(metadata: Instance['metadata']): readonly string[] {
  const listed = TAGS_KEYS.flatMap((key) =>
    Object.hasOwn(metadata, key) ? (metadata[key] ?? '').split(',') : [],
  )
  const tags = listed
    .map((tag) => tag.trim().toLowerCase())
    .filter((tag) => tag !== '' && tag.length <= TAG_LENGTH_MAX)
  return tags.length === 0 ? [] : [...new Set(tags)]
}

/** The address as a record: A or AAAA. */
export function toAddressRecord(address: ArrayLike<number>): ResourceRecord {
  return { type: address.length === 4 ? TYPE.A : TYPE.AAAA, data: address }
}

/** The host name as another name of the service. */
export function toAliasRecord(host: string): ResourceRecord {
  return { type: TYPE.CNAME, data: encodeName(host.split('.')) }
}

/** How records name their targets. */
export interface TargetNames {
  /** What stands in front of a weight; lower is used first, and all are the same. */
  readonly priority: number
  /** What follows the digits of an address: `['addr', 'rollcall']`. */
  readonly addressZone: readonly string[]
}

/** Priority, weight and port. */
const SRV_BYTES = 6
const DIGITS = Buffer.from('0123456789abcdef')

/** Makes records of where instances are reached: a port, and a name that can be resolved, with its address beside it. */
export function createServiceRecords({
  priority,
  addressZone,
}: TargetNames): (endpoint: Pick<Endpoint, 'host' | 'address' | 'port'>, weight: number) => ResourceRecord {
  const zone = encodeName(addressZone)
  return ({ host, address, port }, weight) => {
    const numbers = [priority >> 8, priority, weight >> 8, weight, port >> 8, port]
    if (address === undefined)
      return { type: TYPE.SRV, data: Buffer.from([...numbers, ...encodeName(host.split('.'))]) }
    // The label of an address is its digits: written by hand, because long lists have many.
    const data = new Uint8Array(SRV_BYTES + 1 + address.length * 2 + zone.length)
    data.set(numbers)
    let at = SRV_BYTES
    data[at++] = address.length * 2
    for (const byte of address) {
      data[at++] = DIGITS[byte >> 4] as number
      data[at++] = DIGITS[byte & 15] as number
    }
    data.set(zone, at)
    return { type: TYPE.SRV, data, glue: { ...toAddressRecord(address), nameAt: SRV_BYTES, name: host } }
  }
}

/** What is said of a zone: RFC 1035, 3.3.13. `serial`: seconds since the epoch. */
export function zoneData(zone: readonly string[], serial: number, ttlSeconds: number): Buffer {
  const numbers = Buffer.allocUnsafe(20)
  // Nothing transfers the zone, so refresh, retry and expiry are what they commonly are.
  for (const [place, value] of [serial, 3_600, 600, 86_400, ttlSeconds].entries())
    numbers.writeUInt32BE(value, place * 4)
  return Buffer.concat([encodeName(['ns', ...zone]), encodeName(['hostmaster', ...zone]), numbers])
}
