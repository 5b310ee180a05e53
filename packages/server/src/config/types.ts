/** The configuration as the parts of a node receive it. */
import type { AdmissionMode } from '@rollcall/core'
import type { Limits } from '@rollcall/wire'
import type { LogFormat, LogLevel } from '../telemetry/logging.js'

/** What a node bounds beyond the sizes of single requests. */
export interface NodeLimits extends Limits {
  readonly connectionsMax?: number | undefined
  readonly instancesMax: number
  readonly servicesMax: number
  readonly namespacesMax: number
  readonly declarationBytesMax?: number | undefined
  readonly recordBytesMax?: number | undefined
  readonly tombstoneBytesMax?: number | undefined
  readonly strayBytesMax?: number | undefined
  readonly watchesMax: number
  readonly watchesPerSubscriberMax: number
  readonly watchBytesMax?: number | undefined
  readonly waitersMax: number
  readonly heapPercentMax: number
  readonly unsentBytesMax?: number | undefined
  readonly receivedBytesMax?: number | undefined
  readonly peerSharePercent: number
  readonly sharedNetworks: readonly string[]
  readonly historyBytesMax?: number | undefined
  readonly eventsMax?: number | undefined
  readonly subscriberBufferBytesMax: number
}

export interface JournalSettings {
  readonly rotateBytesMin: number
  readonly queueEntriesMax: number
  readonly commitMsMax: number
}

/** The etcd that joins this node with others. Names of files are as they were given. */
export interface EtcdSettings {
  /** At least one; all of http or all of https. */
  readonly endpoints: readonly string[]
  /** Begins with a slash and ends without one. */
  readonly prefix: string
  readonly ca?: string | undefined
  /** Given with `key`, or neither is. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Given with `passwordFile`, or neither is. */
  readonly user?: string | undefined
  readonly passwordFile?: string | undefined
}

/** How services are told of by DNS. */
export interface DnsSettings {
  readonly listen: string
  readonly domain: string
  readonly ttlMs: number
  readonly udpBytesMax: number
  readonly queriesPerSourceMax: number
  readonly connectionsMax: number
}

/** The settings of a node, complete and valid. Meanings, defaults and reasons: schema.ts. */
export interface Config {
  readonly listen: string
  readonly advertise?: string | undefined
  readonly data: string
  /** When true, `data` has no meaning. */
  readonly memory: boolean
  readonly admission: AdmissionMode
  readonly cluster: string
  readonly nodeId?: string | undefined
  /** Undefined for a node by itself. */
  readonly etcd?: EtcdSettings | undefined
  /** Where Eureka's REST API is served; undefined where it is not. */
  readonly eureka?: string | undefined
  /** Undefined where Consul's protocol is off. */
  readonly consul?: string | undefined
  readonly nodeLeaseMs: number
  /** Undefined where DNS is off. */
  readonly dns?: DnsSettings | undefined
  readonly insecureListen: boolean
  readonly allowedHosts: readonly string[]
  readonly probeNetworks: readonly string[]
  readonly probeOtherPorts: boolean
  readonly probeCredentials: boolean
  readonly namespaces: Readonly<Record<string, { readonly allow: readonly string[] }>>
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly pingMs: number
  readonly removalMs: number
  readonly retentionMs: number
  readonly stopMs: number
  readonly limits: NodeLimits
  readonly journal: JournalSettings
}
