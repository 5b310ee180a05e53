/** The OpenAPI 3.1 document, generated from the route table, the schemas and the table of error codes. */
import { ERROR_CODES, type ErrorCode } from '../errors.js'
import { LIMITS, type Limits } from '../limits.js'
import { jsonSchemaOf } from '../shape/json-schema.js'
import type { AnyShape } from '../shape/shape.js'
import { allWithin, COMPONENTS } from './components.js'
import { takingNull } from './nullable.js'
import type { HeaderParameter, Parameter } from './parameters/parameter.js'
import { ERRORS_OF_ALL, ERRORS_OF_BODIES, NODE_ROUTES, ROUTES } from './routes/index.js'
import type { Route, Success } from './routes/route.js'

type Json = Record<string, unknown>

/** What differs between nodes. */
export interface OpenApiOptions {
  /** Version of the software. */
  readonly version: string
  /** Bounds of the node that serves the document. Default: LIMITS. */
  readonly limits?: Limits
}

const ABOUT = `Service registry and discovery. Bodies and answers are JSON; times are milliseconds unless their name says otherwise.
A body may name the namespace of all its items once. Unknown fields of a body are ignored and named in \`warnings\`; unknown
parameters of a query are refused with \`invalid_argument\`, because an answer about another namespace would go unnoticed.
A node has no authentication yet: any caller that reaches its port may use every operation.`

/** Chapters of the document. */
const TAGS = [
  {
    name: 'registry',
    description: 'What providers and consumers call: register, stay alive, look up, follow.',
  },
  {
    name: 'operators',
    description: 'What people and their tools call: overrides, freezes, events, explanations.',
  },
  { name: 'node', description: 'Health and metrics of one node, for orchestrators and scrapers.' },
] as const

const reference = (name: string): string => `#/components/schemas/${name}`

const REFERENCES = new Map(Object.entries(COMPONENTS).map(([name, shape]) => [shape, reference(name)]))
const named = (shape: AnyShape): string | undefined => REFERENCES.get(shape)

/** Builds the document. The result is plain JSON data and belongs to the caller. */
export function openApiDocument(options: OpenApiOptions): Json {
  const { limits = LIMITS } = options
  const paths: Record<string, Json> = {}
  for (const route of [...ROUTES, ...NODE_ROUTES]) {
    const path = (paths[route.path] ??= {})
    path[route.method.toLowerCase()] = operationOf(route, limits)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version: options.version,
      description: ABOUT,
      contact: { name: 'The Rollcall project' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [],
    tags: TAGS,
    paths,
    components: { schemas: componentSchemas(limits) },
  }
}

function operationOf(route: Route<string>, limits: Limits): Json {
  const parameters = [
    ...route.parameters.map((each) => parameterOf(each, limits)),
    ...(route.headers ?? []).map(headerOf),
  ]
  return {
    operationId: route.id,
    summary: route.summary,
    description: route.description,
    tags: [route.tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, limits) } },
          },
        }),
    responses: responsesOf(route, limits),
  }
}

/** A list is either repeated or separated by commas. */
function parameterOf(parameter: Parameter, limits: Limits): Json {
  const { name, in: place, description, required, repeated } = parameter
  const schema = parameter.schema(limits)
  const style = schema['type'] === 'array' ? { style: 'form', explode: repeated } : {}
  return { name, in: place, description, required, schema, ...style }
}

function headerOf({ name, description }: HeaderParameter): Json {
  return { name, in: 'header', description, required: false, schema: { type: 'string' } }
}

function responsesOf(route: Route<string>, limits: Limits): Json {
  const answers: Record<string, Json> = {}
  for (const success of route.successes) answers[String(success.status)] = successOf(success, limits)
  const codes = new Set<ErrorCode>([
    ...route.errors,
    ...(route.path.startsWith('/api') ? ERRORS_OF_ALL : []),
    ...(route.body === undefined ? [] : ERRORS_OF_BODIES),
  ])
  for (const [status, group] of byStatus(codes)) answers[status] = errorsOf(route, group)
  return answers
}

function successOf(success: Success, limits: Limits): Json {
  const mediaType = success.mediaType ?? (success.shape === undefined ? undefined : 'application/json')
  return {
    description: success.description,
    ...(success.etag === true
      ? {
          headers: {
            ETag: { description: 'Weak tag made of the sign of the answer.', schema: { type: 'string' } },
          },
        }
      : {}),
    ...(mediaType === undefined
      ? {}
      : {
          content: {
            [mediaType]:
              success.shape === undefined ? bodyOf(mediaType) : { schema: schemaOf(success.shape, limits) },
            ...(success.streams === true ? { 'text/event-stream': {} } : {}),
          },
        }),
  }
}

/** A body that no shape describes. Tools read events of a stream one by one, each in a form of its own. */
function bodyOf(mediaType: string): Json {
  if (mediaType === 'text/event-stream') return {}
  return { schema: { type: mediaType === 'application/json' ? 'object' : 'string' } }
}

function byStatus(codes: Iterable<ErrorCode>): Map<string, ErrorCode[]> {
  const groups = new Map<string, ErrorCode[]>()
  for (const code of codes) {
    const status = String(ERROR_CODES[code].httpStatus)
    const group = groups.get(status)
    if (group === undefined) groups.set(status, [code])
    else group.push(code)
  }
  return groups
}

/** Batches answer their usual body with the error beside it when every item failed. */
function errorsOf(route: Route<string>, codes: readonly ErrorCode[]): Json {
  const description = codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].help}`).join('\n\n')
  const schema = {
    allOf: [{ $ref: reference('ErrorResponse') }],
    properties: { error: { properties: { code: { enum: [...codes] } } } },
  }
  const note =
    route.batch === true
      ? '\n\nWhen every item of a batch failed, `error` is the first one and the usual body is beside it.'
      : ''
  return { description: description + note, content: { 'application/json': { schema } } }
}

function componentSchemas(limits: Limits): Json {
  const bodies = ROUTES.flatMap(({ body }) => (body === undefined ? [] : [body]))
  const asked = allWithin(bodies)
  const entries = Object.entries(COMPONENTS).map(([name, shape]) => {
    const schema = jsonSchemaOf(shape, named, limits)
    return [name, asked.has(shape) ? takingNull(schema) : schema] as const
  })
  return Object.fromEntries(entries)
}

function schemaOf(shape: AnyShape, limits: Limits): Json {
  const known = named(shape)
  return known === undefined ? jsonSchemaOf(shape, named, limits) : { $ref: known }
}
