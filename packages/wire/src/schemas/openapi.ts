/** The OpenAPI 3.1 document, generated from the route table, the schemas and the table of error codes. */
import { z } from 'zod'
import { ERROR_CODES, type ErrorCode } from '../errors.js'
import { LIMITS, type Limits } from '../limits.js'
import { clientMessageSchema } from './client-messages.js'
import { explanationSchema } from './explanation.js'
import * as operators from './operators.js'
import * as requests from './requests.js'
import * as responses from './responses.js'
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

/** Shapes that the document names once and refers to. */
const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Error: responses.errorBodySchema,
  ErrorResponse: responses.errorResponseSchema,
  Instance: responses.instanceSchema,
  Remove: responses.removeSchema,
  View: responses.viewSchema,
  Delta: responses.deltaSchema,
  ResolvedRef: responses.resolvedRefSchema,
  RegisterResult: responses.registerResultSchema,
  RegisterResponse: responses.registerResponseSchema,
  HeartbeatResponse: responses.heartbeatResponseSchema,
  DeregisterResponse: responses.deregisterResponseSchema,
  ServiceSummary: responses.serviceSummarySchema,
  ServicesResponse: responses.servicesResponseSchema,
  NamespacesResponse: responses.namespacesResponseSchema,
  SignsResponse: responses.signsResponseSchema,
  Registration: requests.registrationSchema,
  InstanceRef: requests.instanceRefSchema,
  RegisterRequest: requests.registerRequestSchema,
  HeartbeatRequest: requests.heartbeatRequestSchema,
  DeregisterRequest: requests.deregisterRequestSchema,
  SignsRequest: requests.signsRequestSchema,
  BreakerSettings: requests.breakerSettingsSchema,
  ServiceSettings: requests.serviceSettingsSchema,
  NamespaceSettings: requests.namespaceSettingsSchema,
  OverrideRequest: operators.overrideRequestSchema,
  OverrideClearing: operators.overrideClearingSchema,
  OverridesResponse: operators.overridesResponseSchema,
  OverrideSummary: operators.overrideSummarySchema,
  FreezeRequest: operators.freezeRequestSchema,
  FreezesList: operators.freezesListSchema,
  RegistryEvent: operators.registryEventSchema,
  EventsResponse: operators.eventsResponseSchema,
  Explanation: explanationSchema,
  RestoreRequest: operators.restoreRequestSchema,
  RestoreResponse: operators.restoreResponseSchema,
  SubscribersResponse: operators.subscribersResponseSchema,
  OverridesList: operators.overridesListSchema,
  ClientMessage: clientMessageSchema,
}

const NAMES = new Map<z.ZodType, string>(Object.entries(COMPONENTS).map(([name, schema]) => [schema, name]))

const reference = (name: string): string => `#/components/schemas/${name}`

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
    ...(route.path.startsWith('/api/') ? ERRORS_OF_ALL : []),
    ...(route.body === undefined ? [] : ERRORS_OF_BODIES),
  ])
  for (const [status, group] of byStatus(codes)) answers[status] = errorsOf(route, group)
  return answers
}

function successOf(success: Success): Json {
  const mediaType = success.mediaType ?? (success.schema === undefined ? undefined : 'application/json')
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
            [mediaType]: success.schema === undefined ? {} : { schema: schemaOf(success.schema) },
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
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: reference, io: 'input' })
  for (const schema of Object.values(schemas) as Json[]) {
    delete schema['$schema']
    delete schema['$id']
    delete schema['id']
  }
  return schemas
}

function schemaOf(schema: z.ZodType): Json {
  const name = NAMES.get(schema)
  if (name !== undefined) return { $ref: reference(name) }
  if (schema instanceof z.ZodUnion)
    return { anyOf: schema.options.map((option) => schemaOf(option as z.ZodType)) }
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Json
  return rest
}
