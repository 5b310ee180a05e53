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
    tag: 'registry',
    parameters: { limit: p.limit, after: p.afterNamespace },
    successes: [{ status: 200, description: 'One page.', shape: namespacesResponseShape }],
    errors: ['not_ready'],
  },
  getNamespace: {
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'The allow list of a namespace; an empty object where there is none.',
    tag: 'registry',
    parameters: { namespace: p.namespaceInPath },
    successes: [{ status: 200, description: 'The declaration.', shape: namespaceSettingsShape }],
    errors: [],
  },
  declareNamespace: {
    method: 'PUT',
    path: '/api/v1/namespaces/{namespace}',
    summary: 'Set the allow list of a namespace.',
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
    tag: 'operators',
    parameters: {},
    successes: [{ status: 200, description: 'All freezes.', shape: freezesListShape }],
    errors: ['not_ready'],
  },
}
