/** The OpenAPI 3.1 document, generated from the route table, the schemas and the table of error codes. */
import { ERROR_CODES, type ErrorCode } from '../errors.js'
import { LIMITS, type Limits } from '../limits.js'
import { jsonSchemaOf } from '../shape/json-schema.js'
import type { AnyShape } from '../shape/shape.js'
import { takingNull } from './nullable.js'
import type { HeaderParameter, Parameter } from './parameters/parameter.js'
import { ERRORS_OF_ALL, ERRORS_OF_BODIES, NODE_ROUTES, ROUTES } from './routes/index.js'
import type { Route, Success } from './routes/route.js'
import * as events from '../shapes/events.js'
import { explanationShape } from '../shapes/explanation.js'
import * as fields from '../shapes/fields.js'
import * as instances from '../shapes/instances.js'
import { clientMessages, serverMessages } from '../shapes/messages.js'
import * as namespaces from '../shapes/namespaces.js'
import * as overrides from '../shapes/overrides.js'
import * as services from '../shapes/services.js'

type Json = Record<string, unknown>

/** What differs between nodes. */
export interface OpenApiOptions {
  /** Version of the software. */
  readonly version: string
  /** Bounds of the node that serves the document. Default: LIMITS. */
  readonly limits?: Limits
}

const anyOf = (shapes: object): AnyShape => ({
  kind: 'union',
  options: Object.values(shapes) as AnyShape[],
  notes: {},
})

/** Shapes that the document names once and refers to. */
const COMPONENTS: Readonly<Record<string, AnyShape>> = {
  Error: fields.errorShape,
  ErrorResponse: fields.errorResponseShape,
  Instance: instances.instanceShape,
  Remove: instances.removeShape,
  View: services.viewShape,
  Delta: services.deltaShape,
  ResolvedRef: instances.resolvedRefShape,
  RegisterResult: instances.registerResultShape,
  RegisterResponse: instances.registerResponseShape,
  HeartbeatResponse: instances.heartbeatResponseShape,
  DeregisterResponse: instances.deregisterResponseShape,
  ServiceSummary: services.serviceSummaryShape,
  ServicesResponse: services.servicesResponseShape,
  NamespacesResponse: namespaces.namespacesResponseShape,
  SignsResponse: services.signsResponseShape,
  InstanceSpec: instances.instanceSpecShape,
  InstanceRef: instances.instanceRefShape,
  RegisterRequest: instances.registerRequestShape,
  HeartbeatRequest: instances.heartbeatRequestShape,
  DeregisterRequest: instances.deregisterRequestShape,
  SignsRequest: services.signsRequestShape,
  BreakerSettings: services.breakerSettingsShape,
  ServiceSettings: services.serviceSettingsShape,
  NamespaceSettings: namespaces.namespaceSettingsShape,
  OverrideRequest: overrides.overrideRequestShape,
  OverrideClearing: overrides.overrideClearingShape,
  OverridesResponse: overrides.overridesResponseShape,
  OverrideSummary: overrides.overrideSummaryShape,
  FreezeRequest: namespaces.freezeRequestShape,
  FreezesList: namespaces.freezesListShape,
  RegistryEvent: events.registryEventShape,
  EventsResponse: events.eventsResponseShape,
  Explanation: explanationShape,
  RestoreRequest: instances.restoreRequestShape,
  RestoreResponse: instances.restoreResponseShape,
  SubscribersResponse: services.subscribersResponseShape,
  OverridesList: overrides.overridesListShape,
  ClientMessage: anyOf(clientMessages),
  ServerMessage: anyOf(serverMessages),
}

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
      description: 'Service registry and discovery. The stream is described in docs/protocol.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [{ name: 'registry' }, { name: 'operators' }, { name: 'node' }],
    paths,
    components: { schemas: componentSchemas() },
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
    tags: [route.tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body) } } },
        }),
    responses: responsesOf(route),
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

function responsesOf(route: Route<string>): Json {
  const answers: Record<string, Json> = {}
  for (const success of route.successes) answers[String(success.status)] = successOf(success)
  const codes = new Set<ErrorCode>([
    ...route.errors,
    ...(route.path.startsWith('/api') ? ERRORS_OF_ALL : []),
    ...(route.body === undefined ? [] : ERRORS_OF_BODIES),
  ])
  for (const [status, group] of byStatus(codes)) answers[status] = errorsOf(route, group)
  return answers
}

function successOf(success: Success): Json {
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
            [mediaType]: success.shape === undefined ? {} : { schema: schemaOf(success.shape) },
            ...(success.streams === true ? { 'text/event-stream': {} } : {}),
          },
        }),
  }
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

function componentSchemas(): Json {
  const asked = askedShapes()
  const entries = Object.entries(COMPONENTS).map(([name, shape]) => {
    const schema = jsonSchemaOf(shape, named)
    return [name, asked.has(shape) ? takingNull(schema) : schema] as const
  })
  return Object.fromEntries(entries)
}

/** The shapes of bodies, and those within them. */
function askedShapes(): ReadonlySet<AnyShape> {
  const found = new Set<AnyShape>()
  const visit = (shape: AnyShape): void => {
    if (found.has(shape)) return
    found.add(shape)
    if (shape.kind === 'list') visit(shape.item)
    else if (shape.kind === 'union') shape.options.forEach(visit)
    else if (shape.kind === 'object')
      for (const field of Object.values(shape.fields)) visit(field.kind === 'optional' ? field.shape : field)
  }
  for (const { body } of ROUTES) if (body !== undefined) visit(body)
  return found
}

function schemaOf(shape: AnyShape): Json {
  const known = named(shape)
  return known === undefined ? jsonSchemaOf(shape, named) : { $ref: known }
}
