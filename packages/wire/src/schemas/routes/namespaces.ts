/** Routes about namespaces: their allow lists and freezes. */
import * as p from '../parameters/table.js'
import {
  freezeRequestShape,
  freezesListShape,
  namespaceSettingsShape,
  namespacesResponseShape,
} from '../../shapes/namespaces.js'
import { declaredResponseShape, undeclaredResponseShape } from '../../shapes/services.js'
import type { RoutesOf } from './route.js'

export const namespaces: RoutesOf<
  | 'listNamespaces'
  | 'getNamespace'
  | 'declareNamespace'
  | 'undeclareNamespace'
  | 'freeze'
  | 'unfreeze'
  | 'listFreezes'
> = {
  listNamespaces: {
    method: 'GET',
    path: '/api/v1/namespaces',
    summary: 'List namespaces that are declared or have a listed service, in order of their names.',
    description: 'Read on with `after` until `next` is absent.',
    tag: 'registry',
    parameters: { limit: p.limit, after: p.afterNamespace },
    successes: [{ status: 200, description: 'One page.', shape: namespacesResponseShape }],
    errors: ['not_ready'],
  },
  getNamespace: {
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'The allow list of a namespace; an empty object where there is none.',
    description: 'A namespace needs no declaration: it exists as soon as a service is registered in it.',
    tag: 'registry',
    parameters: { namespace: p.namespaceInPath },
    successes: [{ status: 200, description: 'The declaration.', shape: namespaceSettingsShape }],
    errors: [],
  },
  declareNamespace: {
    method: 'PUT',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'Set the allow list of a namespace.',
    description:
      'Only hosts on the list may register in the namespace. Lists are held against the registered host. What is registered already stays.',
    tag: 'registry',
    parameters: { namespace: p.namespaceInPath },
    body: namespaceSettingsShape,
    successes: [{ status: 200, description: 'Set.', shape: declaredResponseShape }],
    errors: [],
  },
  undeclareNamespace: {
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'Take the allow list of a namespace back; `removed` says whether there was one.',
    description: 'Any host may register in the namespace again.',
    tag: 'registry',
    parameters: { namespace: p.namespaceInPath },
    successes: [{ status: 200, description: 'Taken back.', shape: undeclaredResponseShape }],
    errors: ['forbidden_origin'],
  },
  freeze: {
    method: 'PUT',
    path: '/api/v1/freeze',
    summary:
      'Freeze a namespace, or all: silence takes no instance down, none expires, none is taken out by host.',
    description:
      'Before work on the network. Suspicion, refused connections, deregistrations by name and overrides go on. A freeze survives restarts and ends only with `DELETE`.',
    tag: 'operators',
    parameters: { namespace: p.namespaceOfBodyOrAll },
    body: freezeRequestShape,
    successes: [{ status: 200, description: 'Frozen.', shape: declaredResponseShape }],
    errors: [],
  },
  unfreeze: {
    method: 'DELETE',
    path: '/api/v1/freeze',
    summary: 'End a freeze; `removed` says whether there was one of this very name.',
    description: 'Name it as it was frozen: `*` and a single namespace are two freezes.',
    tag: 'operators',
    parameters: { namespace: p.namespaceOfBodyOrAll },
    body: freezeRequestShape,
    successes: [{ status: 200, description: 'Ended.', shape: undeclaredResponseShape }],
    errors: [],
  },
  listFreezes: {
    method: 'GET',
    path: '/api/v1/freeze',
    summary: 'What is frozen, by which operator and why.',
    description: 'Also shown by `/readyz`, by views and by the metric `rollcall_frozen_namespaces`.',
    tag: 'operators',
    parameters: {},
    successes: [{ status: 200, description: 'All freezes.', shape: freezesListShape }],
    errors: ['not_ready'],
  },
}
