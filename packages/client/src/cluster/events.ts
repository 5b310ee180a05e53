/** What goes into the machine of one cluster and what comes out. */
import type { Instance, ViewName } from '@rollcall/wire'
import type { ClientEffect, ClientEvent, ListChange, ListSource, RegisterItem } from '../machine/events.js'

/** One list as one cluster has it. Unchanged parts are the same objects as before. */
export interface ClusterList {
  readonly source: ListSource
  /** A stream vouches for it now. */
  readonly live: boolean
  /** When a registry last confirmed it, on the clock of the machine; absent when none ever did. */
  readonly confirmedAt?: number
  readonly sign: string
  /** In all states. */
  readonly instances: readonly Instance[]
  /** Those that vanished without a word, while the shrink guard keeps them. */
  readonly kept: readonly Instance[]
  readonly statics: readonly Instance[]
}

/** One registration as it is put to one cluster: on the terms of that cluster, with its number. */
export interface ClusterItem extends Pick<RegisterItem, 'handle' | 'spec' | 'intent'> {
  readonly incarnation: number
}

type Passed =
  | 'start'
  | 'opened'
  | 'message'
  | 'closed'
  | 'update'
  | 'deregister'
  | 'snapshot'
  | 'failed'
  | 'close'

/** Inputs. What names a connection, handle or list that the cluster does not know is ignored. */
export type ClusterEvent =
  | Extract<ClientEvent, { readonly type: Passed }>
  | { readonly type: 'register'; readonly items: readonly ClusterItem[] }
  | { readonly type: 'watch'; readonly names: readonly ViewName[] }
  | { readonly type: 'unwatch'; readonly key: string }

/** Outputs, in order. Tokens are those of the events. */
export type ClusterEffect =
  | Exclude<ClientEffect, { readonly type: 'list' | 'candidates' }>
  /** Where a list stands now; `change` where its instances or its source are others than before. */
  | {
      readonly type: 'list'
      readonly key: string
      readonly list: ClusterList
      readonly change?: ListChange
    }

/** One turn of the machine: the moment, and where effects go. */
export interface ClusterTurn {
  readonly now: number
  emit(effect: ClusterEffect): void
}
