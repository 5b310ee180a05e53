/** What people may know about the client. */
import type { ErrorCode, RegistryError, ViewName } from '@rollcall/wire'
import type { ListSource } from './events.js'

/** Why a connection to a registry could not be made, or ended. */
export interface LastError {
  /** `unreachable`, or what the node said: `forbidden_host`, for one. */
  readonly code: ErrorCode
  readonly message: string
  /** The node. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What people may know about the link. */
export interface LinkStatus {
  readonly state: 'connected' | 'connecting' | 'offline'
  readonly url?: string
  readonly node?: string
  readonly cluster?: string
  readonly island?: boolean
  /** Where the nodes of its cluster are reached, as the node told: `host:port`. Absent where it told of none. */
  readonly nodes?: readonly string[]
  /** Attempts in a row that led nowhere. */
  readonly failures: number
  /** Why a node refused the connection the last time one did, until one takes it: not by that host name, for one. */
  readonly error?: RegistryError
  /** The last failure of a connection. It stays when a node is connected again: `at` says when it was. */
  readonly lastError?: LastError
}

/** What one cluster says of one list. */
export interface ListStatus {
  readonly cluster: string
  readonly source: ListSource
  /** A stream vouches for it at this moment; otherwise it is what was known when the stream ended, or older. */
  readonly live: boolean
  /** Milliseconds since a registry of the cluster last confirmed it; absent when none ever did. */
  readonly ageMs?: number
  /** Whether what is shown and called comes from here too. */
  readonly used: boolean
  readonly sign: string
  readonly instances: number
  /** Kept because they vanished without a word, and called only when no other instance is left. */
  readonly kept: number
}

/** What people may know about a watched list. */
export interface WatchStatus extends ViewName {
  readonly source: ListSource
  readonly sign: string
  readonly instances: number
  /** How many of them, or of those that vanished without a word, are called only when no other is left. */
  readonly kept: number
  /** Milliseconds since a registry last confirmed the list, in the cluster where that is longest ago of those used. */
  readonly ageMs?: number
  /** Which cluster said so, and when: one entry for each cluster asked, the preferred one first. */
  readonly clusters: readonly ListStatus[]
}

/** How it stands with one cluster. */
export interface ClusterStatus {
  readonly name: string
  readonly connection: LinkStatus | { readonly state: 'closed' }
  /** Registrations this process wants there. */
  readonly registrations: number
  /** How many of them the cluster has acknowledged, as far as is known. */
  readonly accepted: number
}

/** What people may know about the client. */
export interface MachineStatus {
  /** Of the best connected cluster. */
  readonly connection: LinkStatus | { readonly state: 'closed' }
  /** The last failure of a connection, of whatever cluster; its status is in `clusters`. */
  readonly lastError?: LastError
  /** In the order in which they were named. */
  readonly clusters: readonly ClusterStatus[]
  readonly services: readonly WatchStatus[]
  /** Registrations this process wants, in whatever clusters. */
  readonly registrations: number
}

/** Where an instance is known from. */
export interface Origin {
  readonly cluster: string
  readonly source: ListSource
  readonly live: boolean
  /** Milliseconds since a registry of the cluster last confirmed the list it stands in; absent when none ever did. */
  readonly ageMs?: number
}
