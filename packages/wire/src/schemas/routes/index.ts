/**
 * The routes of the native API: one table from which the router of a node, the OpenAPI document and the HTTP client
 * are made, so that they cannot disagree.
 */
import type { ErrorCode } from '../../errors.js'
import { anyObject, literal, object } from '../../shape/shape.js'
import { feeds } from './feeds.js'
import { instances } from './instances.js'
import { namespaces } from './namespaces.js'
import type { OperationId } from './operations.js'
import { overrides } from './overrides.js'
import type { Route, RoutesOf } from './route.js'
import { services } from './services.js'

/**
 * Codes that any route below /api may answer with. A parameter that is wrong, or unknown, is `invalid_argument`; what a node
 * holds for its callers is bounded on every route.
 */
export const ERRORS_OF_ALL: readonly ErrorCode[] = [
  'forbidden_host',
  'invalid_argument',
  'limit_exceeded',
  'internal',
  'stopping',
]

/** Further codes of every route that takes a body. */
export const ERRORS_OF_BODIES: readonly ErrorCode[] = [
  'malformed',
  'forbidden_origin',
  'body_too_large',
  'unsupported_media_type',
]

/** Every route of the native API by its operation. */
export const OPERATIONS: RoutesOf<OperationId> = {
  ...instances,
  ...services,
  ...namespaces,
  ...overrides,
  ...feeds,
}

/** The same as a list. */
export const ROUTES: readonly Route[] = Object.entries(OPERATIONS).map(([id, { parameters, ...route }]) => ({
  ...route,
  id: id as OperationId,
  parameters: Object.values(parameters),
}))

const livezShape = object<{ readonly live: true }>({ live: literal(true) })

const node = (
  id: 'livez' | 'readyz' | 'metrics',
  [summary, description]: readonly [string, string],
  success: Omit<Route['successes'][number], 'status'>,
  errors: readonly ErrorCode[],
): Route<'livez' | 'readyz' | 'metrics'> => ({
  id,
  method: 'GET',
  path: `/${id}`,
  summary,
  description,
  tag: 'node',
  parameters: [],
  successes: [{ status: 200, ...success }],
  errors,
})

/** Routes that the server answers itself, outside the native API. They are part of the document. */
export const NODE_ROUTES: readonly Route<'livez' | 'readyz' | 'metrics'>[] = [
  node(
    'livez',
    [
      'Whether the process runs.',
      'Asks neither disk nor cluster, so that no trouble of theirs makes an orchestrator kill the node. Any Host and any query are taken.',
    ],
    { description: 'It runs.', shape: livezShape },
    ['malformed'],
  ),
  node(
    'readyz',
    [
      'Whether the node answers lookups.',
      'Not before the journal was read. One that lost the engine answers, but says no with the reason `island` while it knows a node that did not. A node that is cut off from its disk stays ready, because clients are better off with it than without. Any Host and any query are taken.',
    ],
    {
      description:
        'It does. The body also names how the `engine` is, unless there is none, what is `frozen`, and a `journal` that is `failing` with its `journalFault`.',
      shape: anyObject,
    },
    ['malformed', 'not_ready'],
  ),
  node(
    'metrics',
    ['Figures in the Prometheus text format.', 'Names and meanings: docs/reference/metrics.md.'],
    { description: 'The figures.', mediaType: 'text/plain' },
    ['malformed', 'forbidden_host'],
  ),
]
