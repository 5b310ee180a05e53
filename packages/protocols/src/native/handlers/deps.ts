/** What handlers share. */
import type { Clock, Elsewhere, Meter, Registry } from '@rollcall/core'
import type { ClusterResponse, ProcessFacts } from '@rollcall/wire'
import type { OperationId, ParametersOf } from '@rollcall/wire/schemas'
import type { Exchange } from '../../http/exchange.js'
import type { NodeLife } from '../../http/loaded.js'
import type { ResolvedOptions } from '../options.js'
import { inNamespace } from '../queries.js'
import type { ViewBodies } from '../../http/view-bodies.js'
import type { Waits } from '../../http/waits.js'

/** Answers one request with the parameters that its operation declares. What it throws becomes the answer. */
export type Handler<Parameters = unknown> = (
  exchange: Exchange,
  parameters: Parameters,
) => void | Promise<void>

/** A handler for each of some operations; by default for every operation of the route table. */
export type Handlers<Id extends OperationId = OperationId> = {
  readonly [Each in Id]: Handler<ParametersOf<Each>>
}

/** Which node this is, and how it fares. */
export interface NodeIdentity extends NodeLife {
  /** Unique per boot. */
  readonly id: string
  readonly cluster: string
  /** Where the nodes of the cluster are reached that a client may use, this one first: `host:port`. Absent or empty without a cluster. */
  nodes?(): readonly string[]
  /** What asks the other nodes of the cluster; absent where there is no cluster. */
  readonly elsewhere?: Elsewhere
}

/** The same, with what its process says of itself, and what it knows of its cluster. */
export interface ToldNode extends NodeIdentity {
  facts(): ProcessFacts
  /** The nodes, this one first; a node by itself is a cluster of one. */
  clusterStatus(): ClusterResponse
}

/** Collaborators of the handlers. */
export interface HandlerDeps {
  readonly registry: Registry
  readonly node: ToldNode
  readonly clock: Clock
  readonly meter: Meter
  readonly options: ResolvedOptions
  readonly views: ViewBodies
  readonly waits: Waits
}

/** Largest body of a declaration: 1,000 groups and 1,000 allowed hosts with the longest of names, and metadata. */
export const DECLARATION_BYTES_MAX = 524_288
/** Largest body of a freeze and of its end. */
export const FREEZE_BYTES_MAX = 16_384

/** Reads the body of a request whose query may name the body's namespace. */
export function readBody(
  exchange: Exchange,
  { namespace }: { readonly namespace?: string },
  take: (body: unknown) => void | Promise<void>,
  bytesMax?: number,
): void {
  exchange.body((body) => take(inNamespace(body, namespace)), bytesMax)
}
