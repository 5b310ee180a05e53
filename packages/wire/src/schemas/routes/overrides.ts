/** Routes about overrides. */
import * as p from '../parameters/table.js'
import {
  overrideClearingShape,
  overrideRequestShape,
  overridesListShape,
  overridesResponseShape,
} from '../../shapes/overrides.js'
import type { RoutesOf } from './route.js'

export const overrides: RoutesOf<'putOverrides' | 'clearOverrides' | 'listOverrides'> = {
  putOverrides: {
    method: 'PUT',
    path: '/api/v1/overrides',
    summary:
      'Drain, disable or weigh instances, against what they say themselves. Items are judged one by one.',
    description:
      '`drain` and `disable` bind to the id and hold when the instance registers anew; `weight` binds to the present incarnation. A PUT replaces the whole override of an instance. `durationMs` ends it by itself.',
    tag: 'operators',
    parameters: { namespace: p.namespaceOfBody, durability: p.durability },
    body: overrideRequestShape,
    batch: true,
    successes: [
      { status: 200, description: 'One result per item, in order.', shape: overridesResponseShape },
    ],
    errors: ['unknown_instance', 'superseded', 'batch_too_large', 'not_durable'],
  },
  clearOverrides: {
    method: 'DELETE',
    path: '/api/v1/overrides',
    summary: 'Take overrides back. Where none stands, nothing is written.',
    description:
      'The instance is shown by its own word and by its health checks again. An item without an override succeeds.',
    tag: 'operators',
    parameters: { namespace: p.namespaceOfBody, durability: p.durability },
    body: overrideClearingShape,
    batch: true,
    successes: [
      { status: 200, description: 'One result per item, in order.', shape: overridesResponseShape },
    ],
    errors: ['unknown_instance', 'superseded', 'batch_too_large', 'not_durable'],
  },
  listOverrides: {
    method: 'GET',
    path: '/api/v1/overrides',
    summary: 'The overrides that stand, in order of namespace, service, group and id.',
    description: 'Also those on ids that are hidden now. Read on with `after` until `next` is absent.',
    tag: 'operators',
    parameters: {
      namespace: p.namespaceFilter,
      service: p.serviceFilter,
      limit: p.limit,
      after: p.after,
    },
    successes: [{ status: 200, description: 'One page.', shape: overridesListShape }],
    errors: ['not_ready'],
  },
}
