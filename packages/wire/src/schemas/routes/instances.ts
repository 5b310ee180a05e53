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
    description:
      'An instance is `up` at once unless it says `starting`. It counts as silent when nothing was heard of it for `leaseMs`: beat at least three times per lease, or register on the stream. The same id, host and port again is a renewal. `results` has one entry per item, in order.',
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
    description:
      'Renews the lease of every instance named. `unknown` lists those to register again; `deregistered` and `superseded` list those to stop and report. Nothing is written to disk and no subscriber is told.',
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
    description:
      'Final for the incarnation that is named. Give either `instances` or `host`. Taking at least half, and at least five, instances of a service by host needs `confirm`. When nothing was removed the answer is an error, with the lists beside it.',
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
    description:
      'What another caller deregistered comes back as a new incarnation; what expired comes back as it was. With `dryRun` nothing changes.',
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
    description:
      'Also what is `down`, `disabled` or `draining`. What is hidden (deregistered or expired) is `unknown_instance`; `explain` still knows it.',
    tag: 'registry',
    parameters: { service: p.service, id: p.instanceId, namespace: p.namespace, group: p.groupOfInstance },
    successes: [{ status: 200, description: 'The instance.', shape: instanceShape }],
    errors: ['unknown_service', 'unknown_instance', 'not_ready'],
  },
  explain: {
    method: 'GET',
    path: '/api/v1/explain',
    summary: 'Why an instance is, or is not, in the list; also what left recently.',
    description:
      'Content, verdict, override, evidence and guards behind the state of one instance, what happens next, and its latest events. Evidence is that of the node that is asked.',
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
