/** Routes about services and their lists. */
import * as p from '../parameters/table.js'
import {
  declaredResponseShape,
  serviceSettingsShape,
  servicesResponseShape,
  signsRequestShape,
  signsResponseShape,
  subscribersResponseShape,
  undeclaredResponseShape,
  viewOrDeltaShape,
} from '../../shapes/services.js'
import type { RoutesOf, Success } from './route.js'

const UNCHANGED: Success<never> = {
  status: 304,
  description: 'The list is still what If-None-Match names.',
  etag: true,
}

export const services: RoutesOf<
  | 'compareSigns'
  | 'listServices'
  | 'getService'
  | 'declareService'
  | 'undeclareService'
  | 'getServiceSettings'
  | 'listSubscribers'
> = {
  compareSigns: {
    method: 'POST',
    path: '/api/v1/signs',
    summary: 'Compare the signs of many lists at once. An unknown service is the empty list.',
    tag: 'registry',
    parameters: { namespace: p.namespaceOfBody },
    body: signsRequestShape,
    successes: [{ status: 200, description: 'The lists that differ.', shape: signsResponseShape }],
    errors: ['batch_too_large', 'not_ready'],
  },
  listServices: {
    method: 'GET',
    path: '/api/v1/services',
    summary: 'List services in order of namespace and name.',
    tag: 'registry',
    parameters: {
      namespace: p.namespaceFilter,
      prefix: p.prefix,
      limit: p.limit,
      after: p.after,
      wait: p.wait,
    },
    headers: [p.ifNoneMatch],
    successes: [
      { status: 200, description: 'One page.', shape: servicesResponseShape, etag: true },
      UNCHANGED,
    ],
    errors: ['not_ready'],
  },
  getService: {
    method: 'GET',
    path: '/api/v1/services/{service}',
    summary: 'The list of a service or of one of its groups; with `since`, what changed.',
    tag: 'registry',
    parameters: {
      service: p.service,
      namespace: p.namespace,
      group: p.group,
      state: p.state,
      zone: p.zone,
      since: p.since,
      wait: p.wait,
      every: p.every,
    },
    headers: [p.ifNoneMatch],
    successes: [
      {
        status: 200,
        description: 'The list, or the change from the sign in `since` where the node can still tell.',
        shape: viewOrDeltaShape,
        etag: true,
      },
      UNCHANGED,
    ],
    errors: ['unknown_service', 'not_ready'],
  },
  declareService: {
    method: 'PUT',
    path: '/api/v1/services/{service}',
    summary: 'Declare a service, or replace its declaration.',
    tag: 'registry',
    parameters: { service: p.service, namespace: p.namespace },
    body: serviceSettingsShape,
    successes: [{ status: 200, description: 'Declared.', shape: declaredResponseShape }],
    errors: [],
  },
  undeclareService: {
    method: 'DELETE',
    path: '/api/v1/services/{service}',
    summary: 'Take the declaration of a service back. Its instances stay.',
    tag: 'registry',
    parameters: { service: p.service, namespace: p.namespace },
    successes: [{ status: 200, description: 'Taken back.', shape: undeclaredResponseShape }],
    errors: ['forbidden_origin', 'unknown_service'],
  },
  getServiceSettings: {
    method: 'GET',
    path: '/api/v1/services/{service}/settings',
    summary: 'The declaration of a service.',
    tag: 'registry',
    parameters: { service: p.service, namespace: p.namespace },
    successes: [{ status: 200, description: 'The declaration.', shape: serviceSettingsShape }],
    errors: ['unknown_service'],
  },
  listSubscribers: {
    method: 'GET',
    path: '/api/v1/services/{service}/subscribers',
    summary:
      'Which subscribers have heard of what happened to a service: after a drain, whether it is safe to stop.',
    tag: 'operators',
    parameters: {
      service: p.service,
      namespace: p.namespace,
      group: p.group,
      seq: p.seq,
      ageMs: p.ageMs,
    },
    successes: [
      { status: 200, description: 'How far all subscribers are.', shape: subscribersResponseShape },
    ],
    errors: ['unknown_service', 'not_ready'],
  },
}
