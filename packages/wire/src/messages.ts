/**
 * The stream: JSON text frames over a WebSocket with subprotocol `rollcall.v1`. docs/protocol.md is the
 * reference; these types are its shapes.
 */
import type { ErrorBody } from './errors.js'
import type {
  Delta,
  DeregisterRequest,
  DeregisterResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  InstanceRef,
  RegisterRequest,
  RegisterResponse,
  ServicesResponse,
  SignsRequest,
  SignsResponse,
  View,
  ViewName,
} from './types.js'

/** WebSocket subprotocol of the stream. */
export const STREAM_PROTOCOL = 'rollcall.v1'

/** Path of the stream. */
export const STREAM_PATH = '/api/v1/stream'

/** Close codes of the stream beside the standard 1000, 1001 and 1009. */
export const CLOSE_CODES = {
  /** The peer broke the protocol: no hello first, unreadable frame, unknown type from a node. */
  protocol: 4400,
  /** Not a word for longer than the lease of the session. */
  silent: 4408,
  /** The node holds as many connections as it may. */
  limit: 4429,
} as const

/** Reason with which a client closes (1000) a stream because another one serves it, or shall: what it vouched for lives. */
export const MOVED_REASON = 'moved'

/** Every request of a client may carry `req`; its answer carries the same number. */
export interface Correlated {
  readonly req?: number
}

/** First message of a client, once. */
export interface HelloMessage extends Correlated {
  readonly type: 'hello'
  /** Free text for logs: name and version of the client. */
  readonly client?: string
  /** Default namespace of everything that follows. */
  readonly namespace?: string
  /** The client can compare a list by parts, and replace those that differ. Default false. */
  readonly parts?: boolean
}

/** A sign of life; needed only when nothing else was sent for `pingMs`. Answered with `pong`. */
export interface PingMessage extends Correlated {
  readonly type: 'ping'
}

/** Registers instances that this session vouches for until it ends. */
export interface RegisterMessage extends RegisterRequest, Correlated {
  readonly type: 'register'
}

/** Beats for instances that were registered elsewhere (the session's own need none). */
export interface HeartbeatMessage extends HeartbeatRequest, Correlated {
  readonly type: 'heartbeat'
}

export interface DeregisterMessage extends DeregisterRequest, Correlated {
  readonly type: 'deregister'
}

/** One view to watch; with the sign of the list the client holds, if it holds one. */
export interface WatchItem {
  readonly namespace?: string
  readonly service: string
  readonly group?: string
  readonly sign?: string
  /** The sums of the parts of that list, as many as the node asked for: four hex digits each. Only in `watch`. */
  readonly sums?: string
}

/** Adds watches. Each is answered by a `view`, by a `delta`, or, where the sign is current, by nothing but the acknowledgement. */
export interface WatchMessage extends Correlated {
  readonly type: 'watch'
  readonly namespace?: string
  readonly services: readonly WatchItem[]
}

export interface UnwatchMessage extends Correlated {
  readonly type: 'unwatch'
  readonly namespace?: string
  readonly services: readonly WatchItem[]
}

/** Asks for the full view of watched services again, because a client's sum was not `to`. */
export interface ResyncMessage extends Correlated {
  readonly type: 'resync'
  readonly namespace?: string
  readonly services: readonly WatchItem[]
}

/** Everything up to this `seq` that was sent to this session has been applied. */
export interface AckMessage {
  readonly type: 'ack'
  readonly seq: number
}

/**
 * Calls to these instances failed: refused, reset, no answer in time. Only a question to the node, which asks
 * them itself if it did not just now, and judges by that. Answered by nothing, or by an `error`.
 */
export interface HintMessage extends Correlated {
  readonly type: 'hint'
  readonly namespace?: string
  readonly instances: readonly InstanceRef[]
}

/** Compares signs; watched views that differ are also sent (a delta where possible). */
export interface SignsMessage extends SignsRequest, Correlated {
  readonly type: 'signs'
}

/**
 * Asks whether every subscriber of these services (and groups, where named) has acknowledged all that happened
 * to them until now, or until the publication `seq` that an earlier answer named: a provider that drained is then
 * safe to stop, however much goes on happening.
 */
export interface SettledMessage extends Correlated {
  readonly type: 'settled'
  readonly namespace?: string
  readonly services: readonly WatchItem[]
  readonly seq?: number
}

/** Lists services, as GET /api/v1/services. */
export interface ServicesMessage extends Correlated {
  readonly type: 'services'
  readonly namespace?: string
  readonly prefix?: string
  readonly limit?: number
  readonly after?: string
}

/** Reads one view without watching it. */
export interface LookupMessage extends Correlated {
  readonly type: 'lookup'
  readonly namespace?: string
  readonly service: string
  readonly group?: string
}

export type ClientMessage =
  | HelloMessage
  | PingMessage
  | RegisterMessage
  | HeartbeatMessage
  | DeregisterMessage
  | WatchMessage
  | UnwatchMessage
  | ResyncMessage
  | AckMessage
  | HintMessage
  | SignsMessage
  | SettledMessage
  | ServicesMessage
  | LookupMessage

/** Answer to `hello`: which node it is and what it expects. */
export interface WelcomeMessage extends Correlated {
  readonly type: 'welcome'
  /** Id of the node, unique per boot. */
  readonly node: string
  readonly cluster: string
  /** Version of the software that the node runs; nodes before 0.1 was released do not say. */
  readonly version?: string
  /** Send something at least this often. */
  readonly pingMs: number
  readonly frameBytesMax: number
  readonly batchItemsMax: number
  /** The node has lost the engine that joins it with others. */
  readonly island: boolean
  /** Where the nodes of the cluster are reached that a client may use, this one first: `host:port`. Absent without a cluster. */
  readonly nodes?: readonly string[]
}

/** The nodes that a client may use have changed: what `welcome` said of them is replaced. */
export interface NodesMessage {
  readonly type: 'nodes'
  readonly nodes: readonly string[]
}

export interface PongMessage extends Correlated {
  readonly type: 'pong'
  readonly island: boolean
}

export interface RegisteredMessage extends RegisterResponse, Correlated {
  readonly type: 'registered'
}

export interface HeartbeatenMessage extends HeartbeatResponse, Correlated {
  readonly type: 'heartbeaten'
}

export interface DeregisteredMessage extends DeregisterResponse, Correlated {
  readonly type: 'deregistered'
}

/** A list that is to be compared by parts. */
export interface PartsWanted extends ViewName {
  readonly parts: number
}

/** The watches stand; the views that follow are in flight already or will be. */
export interface WatchingMessage extends Correlated {
  readonly type: 'watching'
  /** The node does not know the sign that was shown of these: show the sums of so many parts, in another `watch`. */
  readonly compare?: readonly PartsWanted[]
  readonly warnings?: readonly string[]
}

export interface SignsAnswerMessage extends SignsResponse, Correlated {
  readonly type: 'signs'
}

export interface SettledAnswerMessage extends Correlated {
  readonly type: 'settled'
  readonly settled: boolean
  /** The publication that was asked about: ask on with it. Numbers of one node mean nothing to another. */
  readonly seq: number
}

export interface ServicesAnswerMessage extends ServicesResponse, Correlated {
  readonly type: 'services'
}

/** Answer to `lookup`. */
export interface FoundMessage extends Correlated {
  readonly type: 'found'
  readonly view: View
}

/** A full view of a watched service. `seq` grows with every publication of the node. */
export interface ViewMessage extends View {
  readonly type: 'view'
  readonly seq: number
}

/** A change of a watched service; the same bytes go to every subscriber. */
export interface DeltaMessage extends Delta {
  readonly type: 'delta'
  readonly seq: number
}

/** A registration of this session ended for a reason that is not this session's doing. */
export interface RemovedMessage {
  readonly type: 'removed'
  readonly instances: readonly {
    readonly namespace: string
    readonly service: string
    readonly group: string
    readonly id: string
    readonly incarnation: number
    readonly reason: 'deregistered' | 'superseded'
    /** Superseded by a process at the same address: this session stands in line for the id, and will be told `vacant`. */
    readonly standby?: boolean
  }[]
}

/** Ids that this session stands in line for and may take now, with an incarnation above the one named. */
export interface VacantMessage {
  readonly type: 'vacant'
  readonly instances: readonly {
    readonly namespace: string
    readonly service: string
    readonly group: string
    readonly id: string
    readonly incarnation: number
  }[]
}

/** Please open a session elsewhere (or again) within `afterMs`; this one will be closed. */
export interface GoawayMessage {
  readonly type: 'goaway'
  readonly reason: string
  readonly afterMs: number
  /** Where there is room for it: `host:port` of one of `nodes`. */
  readonly to?: string
}

/** A request failed as a whole (`req` set), or the stream is about to be closed (no `req`). */
export interface ErrorMessage extends Correlated {
  readonly type: 'error'
  readonly error: ErrorBody
}

export type ServerMessage =
  | WelcomeMessage
  | PongMessage
  | RegisteredMessage
  | HeartbeatenMessage
  | DeregisteredMessage
  | WatchingMessage
  | SignsAnswerMessage
  | SettledAnswerMessage
  | ServicesAnswerMessage
  | FoundMessage
  | ViewMessage
  | DeltaMessage
  | RemovedMessage
  | VacantMessage
  | GoawayMessage
  | NodesMessage
  | ErrorMessage
