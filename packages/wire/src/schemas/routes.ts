/**
 * The routes of the native API: one table from which the router of a node and the OpenAPI document are both
 * made, so that they cannot disagree.
 */
import type { ErrorCode } from '../errors.js'
import { STREAM_PATH } from '../messages.js'
import {
  deregisterRequestSchema,
  heartbeatRequestSchema,
  namespaceSettingsSchema,
  registerRequestSchema,
  serviceSettingsSchema,
  signsRequestSchema,
} from './requests.js'
import {
  declaredResponseSchema,
  deregisterResponseSchema,
  heartbeatResponseSchema,
  instanceSchema,
  namespacesResponseSchema,
  registerResponseSchema,
  servicesResponseSchema,
  signsResponseSchema,
  undeclaredResponseSchema,
  viewOrDeltaSchema,
} from './responses.js'
import { OPERATOR_ROUTES, type OperatorOperationId } from './operator-routes.js'
import { parameters } from './parameters.js'
import type { Route as RouteOf, Success } from './route.js'

/** One route of the native API. */
export type Route<Id extends string = OperationId> = RouteOf<Id>

/** Names of the operations of the native API. */
export type OperationId =
  | 'register'
  | 'heartbeat'
  | 'deregister'
  | 'listNamespaces'
  | 'getNamespace'
  | 'declareNamespace'
  | 'undeclareNamespace'
  | 'listServices'
  | 'getService'
  | 'declareService'
  | 'undeclareService'
  | 'getServiceSettings'
  | 'getInstance'
  | 'compareSigns'
  | 'watch'
  | 'stream'
  | 'openapi'
  | OperatorOperationId

/** Codes that any route may answer with. */
export const ERRORS_OF_ALL: readonly ErrorCode[] = ['forbidden_host', 'internal', 'stopping']

/** Further codes of every route that takes a body. */
export const ERRORS_OF_BODIES: readonly ErrorCode[] = [
  'malformed',
  'invalid_argument',
  'forbidden_origin',
  'body_too_large',
  'unsupported_media_type',
]

const UNCHANGED: Success = {
  status: 304,
  description: 'The list is still what If-None-Match names.',
  etag: true,
}
const admission = [
  'namespace_not_allowed',
  'service_not_declared',
  'group_not_declared',
  'service_not_allowed',
] as const satisfies readonly ErrorCode[]

const p = parameters

const WRITES: readonly Route[] = [
  {
    id: 'register',
    method: 'POST',
    path: '/api/v1/register',
    summary: 'Register instances. Items are judged one by one; the status is an error only when all failed.',
    parameters: [p.durability],
    body: registerRequestSchema,
    batch: true,
    successes: [
      { status: 200, description: 'One result per item, in order.', schema: registerResponseSchema },
    ],
    errors: [
      ...admission,
      'id_taken',
      'superseded',
      'deregistered',
      'batch_too_large',
      'limit_exceeded',
      'not_durable',
    ],
  },
  {
    id: 'heartbeat',
    method: 'POST',
    path: '/api/v1/heartbeat',
    summary: 'Say that instances live. Send it at least three times per lease.',
    parameters: [],
    body: heartbeatRequestSchema,
    batch: true,
    successes: [
      {
        status: 200,
        description: 'What to register again and what to stop.',
        schema: heartbeatResponseSchema,
      },
    ],
    errors: ['batch_too_large'],
  },
  {
    id: 'deregister',
    method: 'POST',
    path: '/api/v1/deregister',
    summary: 'Take instances out for good, by name or everything on a host.',
    parameters: [p.durability],
    body: deregisterRequestSchema,
    batch: true,
    successes: [{ status: 200, description: 'What was removed.', schema: deregisterResponseSchema }],
    errors: [...admission, 'needs_confirmation', 'frozen', 'batch_too_large', 'not_durable'],
  },
  {
    id: 'compareSigns',
    method: 'POST',
    path: '/api/v1/signs',
    summary: 'Compare the signs of many lists at once. An unknown service is the empty list.',
    parameters: [],
    body: signsRequestSchema,
    successes: [{ status: 200, description: 'The lists that differ.', schema: signsResponseSchema }],
    errors: ['batch_too_large', 'not_ready'],
  },
]

const READS: readonly Route[] = [
  {
    id: 'listServices',
    method: 'GET',
    path: '/api/v1/services',
    summary: 'List services in order of namespace and name.',
    parameters: [p.namespaceFilter, p.prefix, p.limit, p.after, p.wait, p.ifNoneMatch],
    successes: [
      { status: 200, description: 'One page.', schema: servicesResponseSchema, etag: true },
      UNCHANGED,
    ],
    errors: ['invalid_argument', 'limit_exceeded', 'not_ready'],
  },
  {
    id: 'getService',
    method: 'GET',
    path: '/api/v1/services/{service}',
    summary: 'The list of a service or of one of its groups; with `since`, what changed.',
    parameters: [p.service, p.namespace, p.group, p.state, p.zone, p.since, p.wait, p.every, p.ifNoneMatch],
    successes: [
      {
        status: 200,
        description: 'The list, or the change from the sign in `since` where the node can still tell.',
        schema: viewOrDeltaSchema,
        etag: true,
      },
      UNCHANGED,
    ],
    errors: ['invalid_argument', 'unknown_service', 'limit_exceeded', 'not_ready'],
  },
  {
    id: 'getInstance',
    method: 'GET',
    path: '/api/v1/services/{service}/instances/{id}',
    summary: 'One instance.',
    parameters: [p.service, p.id, p.namespace, p.groupOfInstance],
    successes: [{ status: 200, description: 'The instance.', schema: instanceSchema }],
    errors: ['invalid_argument', 'unknown_service', 'unknown_instance', 'not_ready'],
  },
  {
    id: 'watch',
    method: 'GET',
    path: '/api/v1/watch',
    summary: `Server-sent events: \`view\`, then \`delta\`. \`id\` resumes by Last-Event-ID on any node. A comment keeps the connection open.`,
    parameters: [p.watched, p.namespace, p.lastEventId],
    successes: [
      { status: 200, description: 'The events; see docs/protocol.md.', mediaType: 'text/event-stream' },
    ],
    errors: ['invalid_argument', 'forbidden_origin', 'protocol', 'limit_exceeded', 'not_ready'],
  },
  {
    id: 'stream',
    method: 'GET',
    path: STREAM_PATH,
    summary: 'The WebSocket stream, subprotocol rollcall.v1; see docs/protocol.md.',
    parameters: [],
    successes: [{ status: 101, description: 'The stream is open.' }],
    errors: ['forbidden_origin', 'protocol'],
  },
  {
    id: 'openapi',
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This document.',
    parameters: [],
    successes: [{ status: 200, description: 'OpenAPI 3.1.', mediaType: 'application/json' }],
    errors: [],
  },
]

const DECLARATIONS: readonly Route[] = [
  {
    id: 'declareService',
    method: 'PUT',
    path: '/api/v1/services/{service}',
    summary: 'Declare a service, or replace its declaration.',
    parameters: [p.service, p.namespace],
    body: serviceSettingsSchema,
    successes: [{ status: 200, description: 'Declared.', schema: declaredResponseSchema }],
    errors: ['limit_exceeded'],
  },
  {
    id: 'undeclareService',
    method: 'DELETE',
    path: '/api/v1/services/{service}',
    summary: 'Take the declaration of a service back. Its instances stay.',
    parameters: [p.service, p.namespace],
    successes: [{ status: 200, description: 'Taken back.', schema: undeclaredResponseSchema }],
    errors: ['invalid_argument', 'forbidden_origin', 'unknown_service'],
  },
  {
    id: 'getServiceSettings',
    method: 'GET',
    path: '/api/v1/services/{service}/settings',
    summary: 'The declaration of a service.',
    parameters: [p.service, p.namespace],
    successes: [{ status: 200, description: 'The declaration.', schema: serviceSettingsSchema }],
    errors: ['invalid_argument', 'unknown_service'],
  },
  {
    id: 'listNamespaces',
    method: 'GET',
    path: '/api/v1/namespaces',
    summary: 'List namespaces.',
    parameters: [],
    successes: [{ status: 200, description: 'All namespaces.', schema: namespacesResponseSchema }],
    errors: ['not_ready'],
  },
  {
    id: 'getNamespace',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'The allow list of a namespace; an empty object where there is none.',
    parameters: [p.namespaceInPath],
    successes: [{ status: 200, description: 'The declaration.', schema: namespaceSettingsSchema }],
    errors: ['invalid_argument'],
  },
  {
    id: 'declareNamespace',
    method: 'PUT',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'Set the allow list of a namespace.',
    parameters: [p.namespaceInPath],
    body: namespaceSettingsSchema,
    successes: [{ status: 200, description: 'Set.', schema: declaredResponseSchema }],
    errors: ['limit_exceeded'],
  },
  {
    id: 'undeclareNamespace',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'Take the allow list of a namespace back; `removed` says whether there was one.',
    parameters: [p.namespaceInPath],
    successes: [{ status: 200, description: 'Taken back.', schema: undeclaredResponseSchema }],
    errors: ['invalid_argument', 'forbidden_origin'],
  },
]

/** Every route of the native API. */
export const ROUTES: readonly Route[] = [...WRITES, ...READS, ...DECLARATIONS, ...OPERATOR_ROUTES]

/** Routes that the server answers itself, outside the native API. They are part of the document. */
export const NODE_ROUTES: readonly Route<'livez' | 'readyz' | 'metrics'>[] = [
  {
    id: 'livez',
    method: 'GET',
    path: '/livez',
    summary: 'Whether the process runs.',
    parameters: [],
    successes: [{ status: 200, description: 'It runs.' }],
    errors: [],
  },
  {
    id: 'readyz',
    method: 'GET',
    path: '/readyz',
    summary: 'Whether the node answers lookups.',
    parameters: [],
    successes: [
      {
        status: 200,
        description: 'It does. The body also names what is `frozen`, and a `journal` that is `failing`.',
      },
    ],
    errors: ['not_ready'],
  },
  {
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Figures in the Prometheus text format.',
    parameters: [],
    successes: [{ status: 200, description: 'The figures.', mediaType: 'text/plain' }],
    errors: [],
  },
]
