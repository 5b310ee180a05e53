/** DNS: services of the registry as names, and instances as their addresses. */
import { ANONYMOUS, type Clock, type Logger, type Meter, type Registry } from '@rollcall/core'
import { defined, parseAddress } from '@rollcall/wire'
import { requireLoaded, type NodeLife } from '../http/loaded.js'
import { AnswerWriter, type DnsAnswer, type Query, type QueryHead, readQuery } from './codec.js'
import { EndpointCache } from './endpoints.js'
import { createFaults } from './errors.js'
import { replyTo, type Reply, type ServedZone } from './handlers.js'
import { zoneData } from './mapping.js'
import { zoneOf } from './names.js'
import { MESSAGE_BYTES_MAX, PLAIN_BYTES_MAX, RCODE } from './numbers.js'
import { type DnsOptions, resolveOptions } from './options.js'
import { createRate } from './rate.js'

export type { ConsulNames, DnsOptions } from './options.js'

/** Collaborators of the adapter. */
export interface DnsDeps {
  readonly registry: Pick<Registry, 'read'>
  readonly node: NodeLife
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly chance: () => number
  readonly logger: Logger
  readonly meter: Meter
}

/** What a message came by: TCP, or a datagram. */
export type MessageTransport = 'udp' | 'tcp'

/** The adapter: messages in, messages out. Sockets are the server's. */
export interface Dns {
  /** The answer to a message from an address; undefined for what is met with silence. Never throws. */
  answer(message: Buffer, transport: MessageTransport, peer: string | undefined): Buffer | undefined
}

/** How a query was answered, as metrics tell it. */
const WORDS: Readonly<Record<number, string>> = {
  [RCODE.formatError]: 'formerr',
  [RCODE.failure]: 'servfail',
  [RCODE.noName]: 'nxdomain',
  [RCODE.notImplemented]: 'notimp',
  [RCODE.refused]: 'refused',
  [RCODE.badVersion]: 'badvers',
}

/** Builds the adapter. It holds lists of services, and nothing to start or to close. */
export function createDns(deps: DnsDeps, options: DnsOptions = {}): Dns {
  const { clock, meter, chance } = deps
  const { udpBytesMax, queriesPerSourceMax, endpointsMax, address, ...rest } = resolveOptions(options)
  const zones = zonesOf(rest)
  const writer = new AnswerWriter(udpBytesMax)
  const endpoints = new EndpointCache(clock, endpointsMax)
  const isWithinRate = createRate(clock, queriesPerSourceMax, Math.floor(chance() * 2 ** 32))
  const rcodeOf = createFaults(deps)
  const own = address === undefined ? undefined : parseAddress(address)
  const ownBytes = own?.some((byte) => byte !== 0) === true ? Uint8Array.from(own) : undefined

  /** What a query in a zone is answered. */
  function answerIn(zone: ServedZone, query: Query, bytesMax: number, peer: string | undefined): DnsAnswer {
    const { rcode, records } = reply(zone, query, bytesMax, peer)
    const { ttlSeconds, labels } = zone
    const isNegative = records.length === 0 && (rcode === RCODE.ok || rcode === RCODE.noName)
    const answer = { rcode, authoritative: isNegative || rcode === RCODE.ok, ttlSeconds, records }
    if (!isNegative) return answer
    const data = zoneData(labels, serialOf(clock), ttlSeconds)
    return { ...answer, authority: { labelsBefore: query.labels.length - labels.length, data } }
  }

  function reply(zone: ServedZone, query: Query, bytesMax: number, peer: string | undefined): Reply {
    try {
      requireLoaded(deps.node)
      const read = deps.registry.read({ principal: ANONYMOUS, ...defined({ peer }) })
      const serial = serialOf(clock)
      return replyTo(query, zone, { read, endpoints, chance, serial, address: ownBytes, bytesMax })
    } catch (error) {
      return { rcode: rcodeOf(error), records: [] }
    }
  }

  return {
    answer(message, transport, peer) {
      const received = readQuery(message)
      if (received.kind === 'silence') {
        meter.count('rollcall_dns_queries_total', 1, 'silence')
        return undefined
      }
      const head: QueryHead = received.kind === 'query' ? received.query : received.head
      const bytesMax =
        transport === 'tcp'
          ? MESSAGE_BYTES_MAX
          : Math.min(udpBytesMax, head.edns?.bytesMax ?? PLAIN_BYTES_MAX)
      const isLimited = transport === 'udp' && peer !== undefined && !isWithinRate(peer)
      let answer: DnsAnswer
      if (received.kind === 'fault') answer = bare(received.rcode)
      else if (isLimited) answer = { ...bare(RCODE.ok), truncated: true }
      else {
        const { query } = received
        const zone = zoneOf(query.labels, zones)
        answer = zone === undefined ? bare(RCODE.refused) : answerIn(zone, query, bytesMax, peer)
      }
      meter.count('rollcall_dns_queries_total', 1, wordOf(answer))
      const { bytes, truncated } = writer.write(head, answer, bytesMax)
      if (truncated) meter.count('rollcall_dns_truncated_total')
      return bytes
    },
  }
}

function wordOf({ rcode, records, truncated }: DnsAnswer): string {
  return WORDS[rcode] ?? (truncated === true ? 'limited' : records.length === 0 ? 'nodata' : 'records')
}

function bare(rcode: number): DnsAnswer {
  return { rcode, authoritative: false, ttlSeconds: 0, records: [] }
}

function serialOf(clock: Pick<Clock, 'wallNow'>): number {
  return Math.floor(clock.wallNow() / 1_000) % 2 ** 32
}

/** The zones that are answered for. Consul's own lets nothing be kept. */
function zonesOf({
  domain,
  ttlSeconds,
  consul,
}: Pick<DnsOptions, 'consul'> & Required<Pick<DnsOptions, 'domain' | 'ttlSeconds'>>): ServedZone[] {
  const labels = domain.toLowerCase().split('.')
  const own: ServedZone = {
    labels,
    dialect: 'rollcall',
    targets: { priority: 0, addressZone: ['addr', ...labels] },
    ttlSeconds,
  }
  if (consul === undefined) return [own]
  const foreign: ServedZone = {
    labels: ['consul'],
    dialect: consul,
    targets: { priority: 1, addressZone: ['addr', consul.datacenter, 'consul'] },
    ttlSeconds: 0,
  }
  return [foreign, own]
}
