/** Settings of the DNS adapter, each with its default and the reason for it. */

/** Names as Consul has them: `web.service.consul`. */
export interface ConsulNames {
  /** The datacenter that names may end with, in lower case. */
  readonly datacenter: string
  /** The name of this node as Consul's clients see it, in lower case. */
  readonly node: string
}

/** What may be set; everything has a default. */
export interface DnsOptions {
  /** The zone of this registry, one or more labels, which nothing else must answer for. Default `rollcall`. */
  readonly domain?: string
  /** Answers for `.consul` as well, where Consul's clients are served. Default not. */
  readonly consul?: ConsulNames
  /** How long answers may be kept, in whole seconds. Default 1: a process that was killed is called for a second longer. */
  readonly ttlSeconds?: number
  /** The address under which this node is reached, as `ns.DOMAIN` tells it; one that means any, or a name, is none. Default none. */
  readonly address?: string
  /** Largest datagram to a client that takes as much. Default 1,232: what passes every path unfragmented (DNS flag day 2020). */
  readonly udpBytesMax?: number
  /**
   * Datagrams per second and source, which is an address or under IPv6 a /64, that are answered in full. 0 = all. Default 1,000.
   * More are told to come by TCP. Callers on this machine are not counted: their addresses cannot be forged from elsewhere.
   */
  readonly queriesPerSourceMax?: number
  /** Endpoints that are kept at hand, summed over services. Default 200,000, some 60 MB; one service may be larger. */
  readonly endpointsMax?: number
}

type Defaulted = 'domain' | 'ttlSeconds' | 'udpBytesMax' | 'queriesPerSourceMax' | 'endpointsMax'

/** The settings with every default filled in. */
export function resolveOptions(options: DnsOptions): DnsOptions & Required<Pick<DnsOptions, Defaulted>> {
  return {
    domain: 'rollcall',
    ttlSeconds: 1,
    udpBytesMax: 1_232,
    queriesPerSourceMax: 1_000,
    endpointsMax: 200_000,
    ...options,
  }
}
