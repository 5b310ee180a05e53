/** Shapes of the messages of the stream. Bodies are those of HTTP. */
import type {
  AckMessage,
  ClientMessage,
  Correlated,
  HelloMessage,
  LookupMessage,
  PartsWanted,
  RemovedMessage,
  ServerMessage,
  ServicesMessage,
  SettledMessage,
  VacantMessage,
  WatchMessage,
} from '../messages.js'
import {
  boolean,
  choice,
  count,
  integer,
  list,
  literal,
  number,
  object,
  optional,
  text,
  type AnyField,
  type AnyShape,
  type Fields,
  type Shape,
} from '../shape/shape.js'
import { errorShape, nameField, namespaceField, warningsField } from './fields.js'
import {
  deregisterRequestFields,
  deregisterResponseFields,
  heartbeatRequestFields,
  heartbeatResponseFields,
  instanceKeyFields,
  registerRequestFields,
  registerResponseFields,
} from './instances.js'
import {
  deltaFields,
  servicesResponseFields,
  signsRequestFields,
  signsResponseFields,
  viewFields,
  viewShape,
  watchItemShape,
} from './services.js'

const correlated: Fields<Correlated> = {
  req: optional(integer({ description: 'Number that the answer repeats.' })),
}

type Message = ClientMessage | ServerMessage

/** A message without what every message may have. */
type Body<M extends Message> = Fields<Omit<M, 'type' | 'req'>>

/** Fields of what is read of the messages that are no requests of HTTP. */
export const helloFields: Body<HelloMessage> = {
  namespace: optional(namespaceField),
  client: optional(text()),
  parts: optional(boolean({ description: 'The client compares lists by parts.', default: false })),
}
export const lookupFields: Body<LookupMessage> = {
  namespace: optional(namespaceField),
  service: nameField,
  group: optional(nameField),
}
export const servicesFields: Body<ServicesMessage> = {
  namespace: optional(namespaceField),
  prefix: optional(text()),
  limit: optional(integer()),
  after: optional(text()),
}
export const watchFields: Body<WatchMessage> = {
  namespace: optional(namespaceField),
  services: list(watchItemShape),
}
export const settledFields: Body<SettledMessage> = { ...watchFields, seq: optional(integer()) }
export const ackFields: Body<AckMessage> = { seq: integer() }

type OfType<M extends Message, Type extends M['type']> = Extract<M, { readonly type: Type }>

/** Fields of every message of a side, by type. */
type Bodies<M extends Message> = {
  readonly [Type in M['type']]: Fields<Omit<OfType<M, Type>, 'type'>>
}

type MessageShapes<M extends Message> = { readonly [Type in M['type']]: Shape<OfType<M, Type>> }

function messageShapes<M extends Message>(bodies: Bodies<M>): MessageShapes<M> {
  const shapes = Object.entries<Readonly<Record<string, AnyField>>>(bodies).map(([type, fields]) => {
    const shape: AnyShape = { kind: 'object', fields: { type: literal(type), ...fields }, notes: {} }
    return [type, shape]
  })
  return Object.fromEntries(shapes) as MessageShapes<M>
}

/** What a client may send, by type. */
export const clientMessages: MessageShapes<ClientMessage> = messageShapes<ClientMessage>({
  hello: { ...correlated, ...helloFields },
  ping: correlated,
  register: { ...correlated, ...registerRequestFields },
  heartbeat: { ...correlated, ...heartbeatRequestFields },
  deregister: { ...correlated, ...deregisterRequestFields },
  watch: { ...correlated, ...watchFields },
  unwatch: { ...correlated, ...watchFields },
  resync: { ...correlated, ...watchFields },
  settled: { ...correlated, ...settledFields },
  ack: ackFields,
  hint: { ...correlated, ...heartbeatRequestFields },
  signs: { ...correlated, ...signsRequestFields },
  services: { ...correlated, ...servicesFields },
  lookup: { ...correlated, ...lookupFields },
})

/** What a node may send, by type. */
export const serverMessages: MessageShapes<ServerMessage> = messageShapes<ServerMessage>({
  welcome: {
    ...correlated,
    node: text(),
    cluster: text(),
    version: optional(text()),
    pingMs: number({ minimum: 0 }),
    frameBytesMax: count(),
    batchItemsMax: count(),
    island: boolean(),
    nodes: optional(list(text())),
  },
  nodes: { nodes: list(text()) },
  pong: { ...correlated, island: boolean() },
  registered: { ...correlated, ...registerResponseFields },
  heartbeaten: { ...correlated, ...heartbeatResponseFields },
  deregistered: { ...correlated, ...deregisterResponseFields },
  watching: {
    ...correlated,
    compare: optional(
      list(
        object<PartsWanted>({ namespace: text(), service: text(), group: optional(text()), parts: count() }),
      ),
    ),
    warnings: optional(warningsField),
  },
  signs: { ...correlated, ...signsResponseFields },
  settled: { ...correlated, settled: boolean(), seq: count() },
  services: { ...correlated, ...servicesResponseFields },
  found: { ...correlated, view: viewShape },
  view: { ...viewFields, seq: count() },
  delta: { ...deltaFields, seq: count() },
  removed: {
    instances: list(
      object<RemovedMessage['instances'][number]>({
        ...instanceKeyFields,
        incarnation: count(),
        reason: choice(['deregistered', 'superseded']),
        standby: optional(boolean()),
      }),
    ),
  },
  vacant: {
    instances: list(
      object<VacantMessage['instances'][number]>({ ...instanceKeyFields, incarnation: count() }),
    ),
  },
  goaway: { reason: text(), afterMs: number({ minimum: 0 }), to: optional(text()) },
  error: { ...correlated, error: errorShape },
})
