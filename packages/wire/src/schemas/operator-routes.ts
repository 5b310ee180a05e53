/** The operators' routes of the native API. */
import {
  eventsResponseSchema,
  freezeRequestSchema,
  freezesListSchema,
  overrideClearingSchema,
  overrideRequestSchema,
  overridesListSchema,
  overridesResponseSchema,
  restoreRequestSchema,
  restoreResponseSchema,
  subscribersResponseSchema,
} from './operators.js'
import { declaredResponseSchema, undeclaredResponseSchema } from './responses.js'
import { explanationSchema } from './explanation.js'
import { parameters as p } from './parameters.js'
import type { Route } from './route.js'

/** Names of the operators' operations. */
export type OperatorOperationId =
  | 'putOverrides'
  | 'clearOverrides'
  | 'listOverrides'
  | 'freeze'
  | 'unfreeze'
  | 'listFreezes'
  | 'listEvents'
  | 'explain'
  | 'restore'
  | 'listSubscribers'

/** Every route for operators. */
export const OPERATOR_ROUTES: readonly Route<OperatorOperationId>[] = [
  {
    id: 'putOverrides',
    method: 'PUT',
    path: '/api/v1/overrides',
    summary:
      'Drain, disable or weigh instances, against what they say themselves. Items are judged one by one.',
    parameters: [p.durability],
    body: overrideRequestSchema,
    batch: true,
    successes: [
      { status: 200, description: 'One result per item, in order.', schema: overridesResponseSchema },
    ],
    errors: ['unknown_instance', 'superseded', 'batch_too_large', 'not_durable'],
  },
  {
    id: 'clearOverrides',
    method: 'DELETE',
    path: '/api/v1/overrides',
    summary: 'Take overrides back. Where none stands, nothing is written.',
    parameters: [p.durability],
    body: overrideClearingSchema,
    batch: true,
    successes: [
      { status: 200, description: 'One result per item, in order.', schema: overridesResponseSchema },
    ],
    errors: ['unknown_instance', 'superseded', 'batch_too_large', 'not_durable'],
  },
  {
    id: 'listOverrides',
    method: 'GET',
    path: '/api/v1/overrides',
    summary: 'The overrides that stand, in order of namespace, service, group and id.',
    parameters: [p.namespaceFilter, p.serviceFilter, p.limit, p.after],
    successes: [{ status: 200, description: 'One page.', schema: overridesListSchema }],
    errors: ['invalid_argument', 'not_ready'],
  },
  {
    id: 'freeze',
    method: 'PUT',
    path: '/api/v1/freeze',
    summary:
      'Freeze a namespace, or all: silence takes nobody down, nothing expires, nothing is taken out by host.',
    parameters: [],
    body: freezeRequestSchema,
    successes: [{ status: 200, description: 'Frozen.', schema: declaredResponseSchema }],
    errors: ['limit_exceeded'],
  },
  {
    id: 'unfreeze',
    method: 'DELETE',
    path: '/api/v1/freeze',
    summary: 'End a freeze; `removed` says whether there was one of this very name.',
    parameters: [],
    body: freezeRequestSchema,
    successes: [{ status: 200, description: 'Ended.', schema: undeclaredResponseSchema }],
    errors: [],
  },
  {
    id: 'listFreezes',
    method: 'GET',
    path: '/api/v1/freeze',
    summary: 'What is frozen, by whom and why.',
    parameters: [],
    successes: [{ status: 200, description: 'All freezes.', schema: freezesListSchema }],
    errors: ['not_ready'],
  },
  {
    id: 'listEvents',
    method: 'GET',
    path: '/api/v1/events',
    summary:
      'What happened, by whom and why: the newest, or what came after a number. With `follow` as server-sent events.',
    parameters: [
      p.namespaceFilter,
      p.serviceFilter,
      p.groupFilter,
      p.idFilter,
      p.kind,
      p.afterEvent,
      p.eventsLimit,
      p.follow,
      p.lastEventId,
    ],
    successes: [
      { status: 200, description: 'Events, oldest first.', schema: eventsResponseSchema, streams: true },
    ],
    errors: ['invalid_argument', 'forbidden_origin', 'protocol', 'limit_exceeded'],
  },
  {
    id: 'explain',
    method: 'GET',
    path: '/api/v1/explain',
    summary: 'Why an instance is, or is not, in the list; also what left recently.',
    parameters: [p.serviceInQuery, p.idInQuery, p.namespace, p.groupOfInstance],
    successes: [{ status: 200, description: 'Everything its state rests on.', schema: explanationSchema }],
    errors: ['invalid_argument', 'unknown_service', 'unknown_instance', 'not_ready'],
  },
  {
    id: 'restore',
    method: 'POST',
    path: '/api/v1/restore',
    summary:
      'Bring back what left a service by mistake, while it is remembered: what somebody else deregistered, and what expired.',
    parameters: [p.durability],
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
  {
    id: 'listSubscribers',
    method: 'GET',
    path: '/api/v1/services/{service}/subscribers',
    summary: 'Who has heard of what happened to a service: after a drain, whether it is safe to stop.',
    parameters: [p.service, p.namespace, p.group, p.seq, p.ageMs],
    successes: [{ status: 200, description: 'How far everybody is.', schema: subscribersResponseSchema }],
    errors: ['invalid_argument', 'unknown_service', 'not_ready'],
  },
]
