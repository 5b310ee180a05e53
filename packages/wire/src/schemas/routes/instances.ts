/** Routes about instances. */
import type { ErrorCode } from '../../errors.js'
import { explanationSchema } from '../explanation.js'
import { restoreRequestSchema, restoreResponseSchema } from '../operators.js'
import * as p from '../parameters/table.js'
import { deregisterRequestSchema, heartbeatRequestSchema, registerRequestSchema } from '../requests.js'
import {
  deregisterResponseSchema,
  heartbeatResponseSchema,
  instanceSchema,
  registerResponseSchema,
} from '../responses.js'
import type { RoutesOf } from './route.js'

const admission = [
  'namespace_not_allowed',
  'service_not_declared',
  'group_not_declared',
  'service_not_allowed',
] as const satisfies readonly ErrorCode[]

export const instances: RoutesOf<
  'register' | 'heartbeat' | 'deregister' | 'restore' | 'getInstance' | 'explain'
> = {
  register: {
    method: 'POST',
    path: '/api/v1/register',
    summary: 'Register instances. Items are judged one by one; the status is an error only when all failed.',
    tag: 'registry',
    parameters: { namespace: p.namespaceOfBody, durability: p.durability },
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
  heartbeat: {
    method: 'POST',
    path: '/api/v1/heartbeat',
    summary: 'Say that instances live. Send it at least three times per lease.',
    tag: 'registry',
    parameters: { namespace: p.namespaceOfBody },
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
  deregister: {
    method: 'POST',
    path: '/api/v1/deregister',
    summary: 'Take instances out for good, by name or everything on a host.',
    tag: 'registry',
    parameters: { namespace: p.namespaceOfBodyOrAll, durability: p.durability },
    body: deregisterRequestSchema,
    batch: true,
    successes: [{ status: 200, description: 'What was removed.', schema: deregisterResponseSchema }],
    errors: [...admission, 'needs_confirmation', 'frozen', 'batch_too_large', 'not_durable'],
  },
  restore: {
    method: 'POST',
    path: '/api/v1/restore',
    summary:
      'Bring back what left a service by mistake, while it is remembered: what another caller deregistered, and what expired.',
    tag: 'operators',
    parameters: { namespace: p.namespaceOfBody, durability: p.durability },
    body: restoreRequestSchema,
    successes: [
      {
        status: 200,
        description: 'What came back, or would, in the order in which it left.',
        schema: restoreResponseSchema,
      },
    ],
    errors: ['unknown_service', 'batch_too_large', 'not_durable'],
  },
  getInstance: {
    method: 'GET',
    path: '/api/v1/services/{service}/instances/{id}',
    summary: 'One instance.',
    tag: 'registry',
    parameters: { service: p.service, id: p.instanceId, namespace: p.namespace, group: p.groupOfInstance },
    successes: [{ status: 200, description: 'The instance.', schema: instanceSchema }],
    errors: ['unknown_service', 'unknown_instance', 'not_ready'],
  },
  explain: {
    method: 'GET',
    path: '/api/v1/explain',
    summary: 'Why an instance is, or is not, in the list; also what left recently.',
    tag: 'operators',
    parameters: {
      service: p.serviceInQuery,
      id: p.idInQuery,
      namespace: p.namespace,
      group: p.groupOfInstance,
    },
    successes: [{ status: 200, description: 'Everything its state rests on.', schema: explanationSchema }],
    errors: ['unknown_service', 'unknown_instance', 'not_ready'],
  },
}
