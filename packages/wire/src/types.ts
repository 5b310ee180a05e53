/** The shapes of the native API, in requests, responses and stream messages alike. */
import type { ErrorBody } from './errors.js'
import type { Signature } from './operators.js'

/** What consumers see of an instance. Hidden records (deregistered, expired) are not listed at all. */
export type State = 'starting' | 'up' | 'suspect' | 'down' | 'draining' | 'disabled'

/** All states, in the order in which people expect to read them. */
export const STATES: readonly State[] = ['up', 'starting', 'draining', 'suspect', 'down', 'disabled']

/** What a provider says of itself. */
export type Intent = 'starting' | 'up' | 'draining'

/** Where an acknowledged write is kept: in memory only, on this node's disk, or in the engine as well. */
export type Durability = 'memory' | 'disk' | 'replicated'

/** All of them, from the weakest to the strongest. */
export const DURABILITIES: readonly Durability[] = ['memory', 'disk', 'replicated']

/** How a node learns that an instance lives. */
export type Liveness = 'lease' | 'probe' | 'static'

/** How a node asks an instance whether it lives. A field that another type needs is refused. */
export interface Probe {
  readonly type: 'tcp' | 'http' | 'grpc' | 'none'
  /** Port to ask, default the registered port; another one only where the node allows it (`probeOtherPorts`). */
  readonly port?: number
  /** `http`: path and query to GET, default `/`. */
  readonly path?: string
  /** `http`: what counts as success: one status, or a list with ranges such as `200-299,401`. Default `200-299`. */
  readonly status?: number | string
  /**
   * `http`: headers to send, over the prober's own (`user-agent`, `accept`). Those with credentials, and `host`, only where
   * the node allows it (`probeCredentials`).
   */
  readonly headers?: Readonly<Record<string, string>>
  /** `grpc`: the service whose health is asked for, default the server's as a whole. */
  readonly serviceName?: string
  /** `http` and `grpc`: ask over TLS. `true` verifies the certificate for the registered host. */
  readonly tls?: boolean | ProbeTls
}

/** How TLS is spoken by a probe. */
export interface ProbeTls {
  /** Accept any certificate. Default false. */
  readonly insecure?: boolean
  /** Name to ask for and to verify, default the registered host. */
  readonly serverName?: string
}

/** One instance as consumers see it. */
export interface Instance {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly host: string
  readonly port: number
  readonly protocol?: string
  /** Effective weight, 0 to 65,535. */
  readonly weight: number
  readonly zone?: string
  readonly metadata: Readonly<Record<string, string>>
  /** Protocol of another registry by which it was registered, such as `eureka`; absent where that was the native one. */
  readonly via?: string
  readonly state: State
  /** Milliseconds since this node saw the instance enter its state; it does not count towards the sign. */
  readonly stateAgeMs: number
  readonly incarnation: number
  /** Shown digest: 16 hex digits; the sign of a view is the sum of these. */
  readonly digest: string
  /** Why the instance is in its state, where that is not obvious. */
  readonly reason?: string
}

/** Why an instance is no longer listed. `replaced` appears in full views only. */
export type RemoveReason = 'deregistered' | 'expired' | 'replaced'

/** One removed instance. Removes are applied by group and id. */
export interface Remove {
  readonly group: string
  readonly id: string
  readonly incarnation: number
  readonly reason: RemoveReason
}

/** Which view is meant: a whole service, or one group of it. */
export interface ViewName {
  readonly namespace: string
  readonly service: string
  readonly group?: string
}

/** Whether the node currently refuses to believe silence in this service. */
export interface Guard {
  readonly tripped: boolean
  /** Instances kept in spite of their silence. */
  readonly kept: number
}

/** A complete list. */
export interface View extends ViewName {
  readonly sign: string
  readonly instances: readonly Instance[]
  /** Instances that left recently, with reasons. */
  readonly removes?: readonly Remove[]
  readonly guard: Guard
  /** Whether the list may lack what lives: the node is cut off, or began with nothing less than a lease ago. */
  readonly stale: boolean
  /** An operator froze the namespace: silence takes no instance down. */
  readonly frozen?: true
}

/** The change from one sign to another, compacted: each instance is in it at most once. */
export interface Delta extends ViewName {
  readonly from: string
  readonly to: string
  readonly upserts: readonly Instance[]
  readonly removes: readonly Remove[]
  /**
   * Only on a stream, for a client that compares by parts: of these of `count` parts, `upserts` are all there is. What the client
   * holds beside them in these parts is gone.
   */
  readonly parts?: { readonly count: number; readonly differing: readonly number[] }
}

/** One instance to be registered. */
export interface InstanceSpec {
  readonly namespace?: string
  readonly service: string
  readonly group?: string
  /** Default `host:port`. */
  readonly id?: string
  readonly host: string
  readonly port: number
  readonly protocol?: string
  readonly weight?: number
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Default `up`. */
  readonly state?: Intent
  readonly leaseMs?: number
  readonly incarnation?: number
  readonly rev?: number
  readonly liveness?: Liveness
  readonly probe?: Probe
}

/** Names one instance in heartbeats and deregistrations. */
export interface InstanceRef {
  readonly namespace?: string
  readonly service: string
  readonly group?: string
  readonly id: string
  readonly incarnation?: number
}

/** An InstanceRef as a node echoes it, with defaults filled in. */
export interface ResolvedRef {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly incarnation?: number
}

export interface RegisterRequest {
  readonly namespace?: string
  readonly instances: readonly InstanceSpec[]
}

/** A registration that was stored. */
export interface Registered {
  readonly ok: true
  readonly service: string
  readonly group: string
  readonly id: string
  readonly incarnation: number
  readonly durability: Durability
  /** What consumers see, where that is not what was asked for: an operator's word stands on the id, or it is doubted. */
  readonly state?: State
  /** Why it is in this state. */
  readonly reason?: string
}

/** An item of a batch that was refused. */
export interface Refused {
  readonly ok: false
  readonly error: ErrorBody
}

export type RegisterResult = Registered | Refused

export interface RegisterResponse {
  /** One per item, in the order of the request. */
  readonly results: readonly RegisterResult[]
  /** Fields that were ignored because this node does not know them. */
  readonly warnings?: readonly string[]
}

/** With the fields of the request that were ignored because this node does not know them. */
export type Warned<Response> = Response & { readonly warnings?: readonly string[] }

/** Of a batch of which every item failed: the first error, beside the usual answer. */
export type OfBatch<Response> = Response & { readonly error?: ErrorBody }

export interface HeartbeatRequest {
  readonly namespace?: string
  readonly instances: readonly InstanceRef[]
}

export interface HeartbeatResponse {
  /** Register these again. */
  readonly unknown: readonly ResolvedRef[]
  /** Stop: another caller deregistered these for good. */
  readonly deregistered: readonly ResolvedRef[]
  /** Stop: a newer incarnation holds the id. */
  readonly superseded: readonly ResolvedRef[]
  /** Items refused for their form, such as a malformed name. */
  readonly errors?: readonly ErrorBody[]
  readonly warnings?: readonly string[]
}

/** Deregisters instances by name, or everything on a host. Signed, it is an operator's doing and not the provider's. */
export interface DeregisterRequest extends Signature {
  /** With `host`, `*` means all namespaces. */
  readonly namespace?: string
  readonly instances?: readonly InstanceRef[]
  readonly host?: string
  /** Needed when a call by host takes at least half and at least 5 instances of a service. */
  readonly confirm?: boolean
}

export interface DeregisterResponse {
  readonly removed: readonly ResolvedRef[]
  readonly unknown: readonly ResolvedRef[]
  readonly superseded: readonly ResolvedRef[]
  readonly durability: Durability
  readonly errors?: readonly ErrorBody[]
  readonly warnings?: readonly string[]
}

export interface GroupSummary {
  readonly group: string
  readonly sign: string
  readonly total: number
  readonly up: number
}

export interface ServiceSummary {
  readonly namespace: string
  readonly service: string
  readonly sign: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly groups: readonly GroupSummary[]
  /** An operator froze the namespace. */
  readonly frozen?: true
}

export interface ServicesResponse {
  readonly services: readonly ServiceSummary[]
  /** Give this as `after` to read on; absent on the last page. */
  readonly next?: string
}

export interface NamespaceSummary {
  readonly namespace: string
  readonly services: number
  readonly instances: number
  readonly allow?: readonly string[]
  /** An operator froze it. */
  readonly frozen?: true
}

export interface NamespacesResponse {
  readonly namespaces: readonly NamespaceSummary[]
  /** Give this as `after` to read on; absent on the last page. */
  readonly next?: string
}

/** How much silence is believed of one service. */
export interface BreakerSettings {
  /** Default true. Without it, silence may take every instance. */
  readonly enabled?: boolean
  /** Share of the listed instances that silence may hold `down`, 0 to 1. Default 0.3. */
  readonly share?: number
}

/** What an operator declares about a service. */
export interface ServiceSettings {
  readonly groups?: readonly string[]
  /** Addresses or CIDR blocks that may register; any may when absent. */
  readonly allow?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
  /** How long a `down` instance stays listed before it expires. */
  readonly removalMs?: number
  readonly breaker?: BreakerSettings
}

/** What an operator declares about a namespace. */
export interface NamespaceSettings {
  readonly allow?: readonly string[]
}

/** One operation of the API, as its index has it. */
export interface IndexedOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
}

/** What `/api` answers: where to go on. */
export interface ApiIndex {
  readonly name: string
  readonly version: string
  /** Path of the OpenAPI document. */
  readonly document: string
  /** Pages of the documentation. */
  readonly guides: readonly string[]
  /** Commands for a shell, in this order, against the node that was asked. */
  readonly examples: readonly string[]
  readonly operations: readonly IndexedOperation[]
}

/** Answer to a declaration. */
export interface DeclaredResponse {
  readonly durability: Durability
  readonly warnings?: readonly string[]
}

/** Answer when a declaration or a freeze is taken back: whether there was one. */
export interface UndeclaredResponse {
  readonly removed: boolean
}

export interface SignsRequest {
  readonly namespace?: string
  readonly services: readonly {
    readonly namespace?: string
    readonly service: string
    readonly group?: string
    readonly sign: string
  }[]
}

export interface SignsResponse {
  /** The views whose sign differs, with the node's own sign. */
  readonly changed: readonly (ViewName & { readonly sign: string })[]
}
