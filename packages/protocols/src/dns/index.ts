/** DNS: services of the registry as names, and instances as their addresses. */
import {
  ANONYMOUS,
  type Caller,
  type Clock,
  type Logger,
  type Meter,
  type Queries,
  type Registry,
} from '@rollcall/core'
import { parseAddress } from '@rollcall/wire'
import { isLoaded, requireLoaded, type NodeLife } from '../http/loaded.js'
import {
  AnswerWriter,
  type DnsAnswer,
  isTruncated,
  labelsOf,
  type Query,
  type QueryHead,
  readQuery,
} from './codec.js'
import { EndpointCache } from './endpoints.js'
import { createFaults } from './errors.js'
import { replyTo, type Reply, type ServedZone } from './handlers.js'
import { zoneData } from './mapping.js'
import { zoneOf } from './names.js'
import { MESSAGE_BYTES_MAX, PLAIN_BYTES_MAX, RCODE } from './numbers.js'
import { type DnsOptions, resolveOptions } from './options.js'
import { PreparedReplies } from './prepared.js'
import { createRate } from './rate.js'
import { WorkTurns } from './steps.js'

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

/** What answers a message; undefined for what is met with silence. */
export type DnsMessage = Buffer | undefined

/** The adapter: messages in, messages out. Sockets are the server's. */
export interface Dns {
  /** The answer to a message from an address, later where a long list has to be read first. Never throws, nor rejects. */
  answer(
    message: Buffer,
    transport: MessageTransport,
    peer: string | undefined,
  ): DnsMessage | Promise<DnsMessage>
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

const NO_PEER: Caller = { principal: ANONYMOUS }

/** Queries that wait for long lists, of which there may be few. More are told to ask another server. */
const WAITING_MAX = 1_000

/** Builds the adapter. It holds lists of services, and nothing to start or to close. */
export function createDns(deps: DnsDeps, options: DnsOptions = {}): Dns {
  const { clock, meter } = deps
  const { udpBytesMax, queriesPerSourceMax, endpointsMax, address, ...rest } = resolveOptions(options)
  const writer = new AnswerWriter(udpBytesMax, deps.chance)
  const isWithinRate = createRate(clock, queriesPerSourceMax, Math.floor(deps.chance() * 2 ** 32))
  const replies = createReplies(deps, { zones: zonesOf(rest), endpointsMax, address })

  function send(head: QueryHead, answer: DnsAnswer, bytesMax: number): Buffer {
    meter.count('rollcall_dns_queries_total', 1, wordOf(answer))
    const written = writer.write(head, answer, bytesMax)
    if (isTruncated(written)) meter.count('rollcall_dns_truncated_total')
    return written
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
      if (received.kind === 'fault') return send(head, bare(received.rcode), bytesMax)
      if (transport === 'udp' && peer !== undefined && !isWithinRate(peer))
        return send(head, { ...bare(RCODE.ok), truncated: true }, bytesMax)
      const answer = replies(received.query, peer)
      if (!(answer instanceof Promise)) return send(head, answer, bytesMax)
      return answer.then((later) => send(head, later, bytesMax))
    },
  }
}

interface RepliesOptions {
  readonly zones: readonly ServedZone[]
  readonly endpointsMax: number
  readonly address: string | undefined
}

type Replies = (query: Query, peer: string | undefined) => DnsAnswer | Promise<DnsAnswer>

/** What queries are answered, by what is at hand of them. */
function createReplies(deps: DnsDeps, { zones, endpointsMax, address: own }: RepliesOptions): Replies {
  const { clock } = deps
  const turns = new WorkTurns(clock, WAITING_MAX)
  const endpoints = new EndpointCache(clock, turns, endpointsMax)
  const prepared = new PreparedReplies(endpointsMax)
  const rcodeOf = createFaults(deps)
  const bytes = own === undefined ? undefined : parseAddress(own)
  const address = bytes?.some((byte) => byte !== 0) === true ? bytes : undefined
  const serial = (): number => Math.floor(clock.wallNow() / 1_000) % 2 ** 32

  /** What a reply of a zone says, with what is told beside it where it is empty. */
  function answerOf(zone: ServedZone, query: Query, { rcode, records }: Reply): DnsAnswer {
    const isNegative = (records?.size ?? 0) === 0 && (rcode === RCODE.ok || rcode === RCODE.noName)
    const answer = { rcode, authoritative: isNegative || rcode === RCODE.ok, records }
    if (!isNegative) return answer
    const { labels, ttlSeconds } = zone
    const labelsBefore = labelsOf(query).length - labels.length
    return {
      ...answer,
      authority: { labelsBefore, data: zoneData(labels, serial(), ttlSeconds), ttlSeconds },
    }
  }

  /** What was not asked before, or has changed since. */
  function look(query: Query, read: Queries): DnsAnswer | Promise<DnsAnswer> {
    const zone = zoneOf(labelsOf(query), zones)
    if (zone === undefined) return bare(RCODE.refused)
    const tell = (reply: Reply): DnsAnswer => answerOf(zone, query, reply)
    const fail = (error: unknown): DnsAnswer => tell({ rcode: rcodeOf(error) })
    try {
      requireLoaded(deps.node)
      const version = read.version()
      const reply = turns.run(replyTo(query, zone, { read, endpoints, serial, address }))
      if (reply instanceof Promise) return reply.then(tell, fail)
      const { records, isLasting = false } = reply
      if (isLasting && records !== undefined) prepared.keep(query.question, { version, records })
      return tell(reply)
    } catch (error) {
      return fail(error)
    }
  }

  return (query, peer) => {
    const read = deps.registry.read(peer === undefined ? NO_PEER : { principal: ANONYMOUS, peer })
    const records = prepared.find(query.question, read.version())
    if (records === undefined || !isLoaded(deps.node)) return look(query, read)
    return { rcode: RCODE.ok, authoritative: true, records }
  }
}

function wordOf({ rcode, records, truncated }: DnsAnswer): string {
  const word = WORDS[rcode]
  if (word !== undefined) return word
  if (truncated === true) return 'limited'
  return records === undefined || records.size === 0 ? 'nodata' : 'records'
}

function bare(rcode: number): DnsAnswer {
  return { rcode, authoritative: false }
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
