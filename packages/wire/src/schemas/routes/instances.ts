/** Routes about instances. */
import type { ErrorCode } from '../../errors.js'
import * as p from '../parameters/table.js'
import { explanationShape } from '../../shapes/explanation.js'
import {
  deregisterRequestShape,
  deregisterResponseShape,
  heartbeatRequestShape,
  heartbeatResponseShape,
  instanceShape,
  registerRequestShape,
  registerResponseShape,
  restoreRequestShape,
  restoreResponseShape,
} from '../../shapes/instances.js'
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
    body: registerRequestShape,
    batch: true,
    successes: [{ status: 200, description: 'One result per item, in order.', shape: registerResponseShape }],
    errors: [...admission, 'id_taken', 'superseded', 'deregistered', 'batch_too_large', 'not_durable'],
  },
  heartbeat: {
    method: 'POST',
    path: '/api/v1/heartbeat',
    summary: 'Say that instances live. Send it at least three times per lease.',
    tag: 'registry',
    parameters: { namespace: p.namespaceOfBody },
    body: heartbeatRequestShape,
    batch: true,
    successes: [
      {
        status: 200,
        description: 'What to register again and what to stop.',
        shape: heartbeatResponseShape,
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
    body: deregisterRequestShape,
    batch: true,
    successes: [{ status: 200, description: 'What was removed.', shape: deregisterResponseShape }],
    errors: [
      ...admission,
      'superseded',
      'unknown_instance',
      'needs_confirmation',
      'frozen',
      'batch_too_large',
      'not_durable',
    ],
  },
  restore: {
    method: 'POST',
    path: '/api/v1/restore',
    summary:
      'Bring back what left a service by mistake, while it is remembered: what another caller deregistered, and what expired.',
    tag: 'operators',
    parameters: { namespace: p.namespaceOfBody, durability: p.durability },
    body: restoreRequestShape,
    successes: [
      {
        status: 200,
        description: 'What came back, or would, in the order in which it left.',
        shape: restoreResponseShape,
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
    successes: [{ status: 200, description: 'The instance.', shape: instanceShape }],
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
    successes: [{ status: 200, description: 'Everything its state rests on.', shape: explanationShape }],
    errors: ['unknown_service', 'unknown_instance', 'not_ready'],
  },
}
