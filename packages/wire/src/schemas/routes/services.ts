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
    description:
      'Up to the batch limit of lists in one request. Only those whose sign differs from the one given are in the answer.',
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
    description:
      'Services that are declared or have a listed instance. Read on with `after` until `next` is absent. With If-None-Match and `wait` the node answers when the page changes.',
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
    description:
      'Without `since` a View, which has `instances`. With `since` a Delta, which has `upserts` and `removes`, or a View where the node no longer remembers that sign. All states are listed unless `state` or `zone` filter them; the sign is always that of the whole list. `wait` holds the answer until the list changes.',
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
    description:
      'A declaration names groups, who may register, metadata, and how the guard and the removal time of this service differ. It replaces the one before as a whole.',
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
    description: 'With strict admission no further instance is admitted. What is registered stays listed.',
    tag: 'registry',
    parameters: { service: p.service, namespace: p.namespace },
    successes: [{ status: 200, description: 'Taken back.', shape: undeclaredResponseShape }],
    errors: ['forbidden_origin', 'unknown_service'],
  },
  getServiceSettings: {
    method: 'GET',
    path: '/api/v1/services/{service}/settings',
    summary: 'The declaration of a service.',
    description: 'As it was declared. A service that is only registered has none.',
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
    description:
      '`settled` is true when every stream has acknowledged, and every poller has asked again after, what happened by `seq`. Ask again with the `seq` of the first answer. A consumer that is disconnected is not known.',
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
