/** What each operation of the native API takes and answers: the types that routes, handlers and clients share. */
import type { ClusterResponse } from '../../cluster.js'
import type { EventKind, EventsResponse } from '../../events.js'
import type { Explanation } from '../../explanation.js'
import type {
  FreezeRequest,
  FreezesList,
  OverrideClearing,
  OverrideRequest,
  OverridesList,
  OverridesResponse,
  RestoreRequest,
  RestoreResponse,
  SubscribersResponse,
} from '../../operators.js'
import type { NodeStatus } from '../../status.js'
import type {
  ApiIndex,
  DeclaredResponse,
  Delta,
  DeregisterRequest,
  DeregisterResponse,
  Durability,
  HeartbeatRequest,
  HeartbeatResponse,
  Instance,
  NamespaceSettings,
  NamespacesResponse,
  OfBatch,
  RegisterRequest,
  RegisterResponse,
  ServiceSettings,
  ServicesResponse,
  SignsRequest,
  SignsResponse,
  State,
  UndeclaredResponse,
  View,
  Warned,
} from '../../types.js'
import type { Moment } from '../../units.js'

/** Parameters of the path and the query by name, and the bodies. `undefined` = there is none. */
interface Operation<Parameters, Answer, Body = undefined> {
  readonly parameters: Parameters
  readonly body: Body
  readonly answer: Answer
}

/** The namespace of a body that names none. */
interface NamespaceOfBody {
  readonly namespace?: string
}

interface WriteParameters extends NamespaceOfBody {
  readonly durability?: Durability
}

interface ServiceParameters {
  readonly service: string
  readonly namespace?: string
}

interface InstanceParameters extends ServiceParameters {
  readonly id: string
  readonly group?: string
}

interface NamespaceParameters {
  readonly namespace: string
}

interface PageParameters {
  readonly namespace?: string
  readonly limit?: number
  readonly after?: string
}

/** There is none. */
type NoParameters = Readonly<Record<string, never>>

/** Every operation by its name. Times are milliseconds. */
export interface Operations {
  register: Operation<WriteParameters, OfBatch<RegisterResponse>, RegisterRequest>
  heartbeat: Operation<NamespaceOfBody, OfBatch<HeartbeatResponse>, HeartbeatRequest>
  deregister: Operation<WriteParameters, OfBatch<DeregisterResponse>, DeregisterRequest>
  restore: Operation<WriteParameters, RestoreResponse, RestoreRequest>
  getInstance: Operation<InstanceParameters, Instance>
  explain: Operation<InstanceParameters, Explanation>

  listServices: Operation<
    PageParameters & { readonly prefix?: string; readonly wait?: number },
    ServicesResponse
  >
  getService: Operation<
    ServiceParameters & {
      readonly group?: string
      readonly state?: readonly State[]
      readonly zone?: string
      readonly since?: string
      readonly wait?: number
      readonly every?: number
    },
    View | Delta
  >
  declareService: Operation<ServiceParameters, DeclaredResponse, ServiceSettings>
  undeclareService: Operation<ServiceParameters, UndeclaredResponse>
  getServiceSettings: Operation<ServiceParameters, ServiceSettings>
  compareSigns: Operation<NamespaceOfBody, Warned<SignsResponse>, SignsRequest>
  listSubscribers: Operation<
    ServiceParameters & { readonly group?: string; readonly seq?: number; readonly ageMs?: number },
    SubscribersResponse
  >

  listNamespaces: Operation<Omit<PageParameters, 'namespace'>, NamespacesResponse>
  getNamespace: Operation<NamespaceParameters, NamespaceSettings>
  declareNamespace: Operation<NamespaceParameters, DeclaredResponse, NamespaceSettings>
  undeclareNamespace: Operation<NamespaceParameters, UndeclaredResponse>

  putOverrides: Operation<WriteParameters, OfBatch<OverridesResponse>, OverrideRequest>
  clearOverrides: Operation<WriteParameters, OfBatch<OverridesResponse>, OverrideClearing>
  listOverrides: Operation<PageParameters & { readonly service?: string }, OverridesList>
  freeze: Operation<NamespaceOfBody, DeclaredResponse, FreezeRequest>
  unfreeze: Operation<NamespaceOfBody, UndeclaredResponse, FreezeRequest>
  listFreezes: Operation<NoParameters, FreezesList>

  listEvents: Operation<
    {
      readonly namespace?: string
      readonly service?: string
      readonly group?: string
      readonly id?: string
      readonly kind?: readonly EventKind[]
      readonly since?: Moment
      readonly until?: Moment
      readonly after?: number
      readonly limit?: number
      readonly follow?: boolean
      readonly nodes?: 'all'
    },
    EventsResponse
  >
  watch: Operation<
    {
      readonly service: readonly { readonly service: string; readonly group?: string }[]
      readonly namespace?: string
    },
    undefined
  >
  stream: Operation<NoParameters, undefined>
  status: Operation<NoParameters, NodeStatus>
  cluster: Operation<NoParameters, ClusterResponse>
  index: Operation<NoParameters, ApiIndex>
  openapi: Operation<NoParameters, Readonly<Record<string, unknown>>>
}

/** Names of the operations of the native API. */
export type OperationId = keyof Operations

/** Values of the parameters of an operation, by name. */
export type ParametersOf<Id extends OperationId> = Operations[Id]['parameters']
