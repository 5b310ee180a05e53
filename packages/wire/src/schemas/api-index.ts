/** What `/api` answers: where a person, or a program, goes on from here. */
import type { ApiIndex } from '../types.js'
import { NODE_ROUTES, OPERATIONS, ROUTES } from './routes/index.js'

/** What a node answers beside its own API, in the forms of others: no part of the document, and found from here. */
const BESIDE = [
  {
    id: 'prometheusTargets',
    method: 'GET',
    path: '/prometheus/sd',
    summary: 'Instances as targets of Prometheus, by its HTTP service discovery.',
  },
] as const

/** Builds the index of a node that is reached at `base`, such as `http://127.0.0.1:7400`. */
export function apiIndex(version: string, base: string): ApiIndex {
  const json = "-H 'content-type: application/json'"
  const instance = '{"service":"hello","id":"hello-1","host":"127.0.0.1","port":8080}'
  const at = (id: 'register' | 'listServices' | 'deregister'): string => `'${base}${OPERATIONS[id].path}'`
  return {
    name: 'rollcall',
    version,
    document: OPERATIONS.openapi.path,
    guides: [
      'docs/guide/README.md',
      'docs/guide/prometheus.md',
      'docs/protocol.md',
      'docs/reference/errors.md',
    ],
    examples: [
      `curl -sS ${at('register')} ${json} -d '{"instances":[${instance}]}'`,
      `curl -sS ${at('listServices')}`,
      `curl -sS '${base}${OPERATIONS.getService.path.replace('{service}', 'hello')}?state=up'`,
      `curl -sS ${at('deregister')} ${json} -d '{"instances":[{"service":"hello","id":"hello-1"}]}'`,
    ],
    operations: [...ROUTES, ...NODE_ROUTES, ...BESIDE].map(({ id, method, path, summary }) => ({
      id,
      method,
      path,
      summary,
    })),
  }
}
