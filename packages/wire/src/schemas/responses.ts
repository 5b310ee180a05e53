/** Response bodies of the HTTP API, for the OpenAPI document and for tests that check real answers. */
import { z } from 'zod'
import { ERROR_CODES, type ErrorBody, type ErrorCode } from '../errors.js'
import type {
  DeclaredResponse,
  Delta,
  DeregisterResponse,
  HeartbeatResponse,
  Instance,
  NamespacesResponse,
  RegisterResponse,
  RegisterResult,
  Remove,
  ResolvedRef,
  ServiceSummary,
  ServicesResponse,
  SignsResponse,
  UndeclaredResponse,
  View,
} from '../types.js'
import {
  allowField,
  durabilityField,
  hostField,
  idField,
  incarnationField,
  metadataField,
  nameField,
  portField,
  signField,
  stateField,
  weightField,
} from './fields.js'

const count = z.int().meta({ minimum: 0 })
const viewName = { namespace: nameField, service: nameField, group: nameField.exactOptional() }
const frozen = z.literal(true).meta({ description: 'An operator froze the namespace.' }).exactOptional()
const warnings = z
  .array(z.string())
  .meta({ description: 'Fields that were ignored because this node does not know them.' })

/** The value of `error` wherever an error travels. */
export const errorBodySchema: z.ZodType<ErrorBody> = z.object({
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  field: z
    .string()
    .meta({ description: 'Path of the offending field, such as `instances[3].port`.' })
    .exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
})

/** Every answer that is nothing but an error. */
export const errorResponseSchema: z.ZodType<{ readonly error: ErrorBody }> = z.object({
  error: errorBodySchema,
})

export const instanceSchema: z.ZodType<Instance> = z.object({
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
  host: hostField,
  port: portField,
  protocol: nameField.exactOptional(),
  weight: weightField,
  zone: nameField.exactOptional(),
  metadata: metadataField,
  state: stateField,
  stateAgeMs: count,
  incarnation: incarnationField,
  digest: signField,
  reason: z.string().exactOptional(),
})

export const removeSchema: z.ZodType<Remove> = z.object({
  group: nameField,
  id: idField,
  incarnation: incarnationField,
  reason: z.enum(['deregistered', 'expired', 'replaced']),
})

export const viewSchema: z.ZodType<View> = z.object({
  ...viewName,
  sign: signField,
  instances: z.array(instanceSchema),
  removes: z.array(removeSchema).exactOptional(),
  guard: z.object({ tripped: z.boolean(), kept: count }),
  stale: z.boolean(),
  frozen,
})

export const deltaSchema: z.ZodType<Delta> = z.object({
  ...viewName,
  from: signField,
  to: signField,
  upserts: z.array(instanceSchema),
  removes: z.array(removeSchema),
})

/** Answer of a lookup: the list, or with `since` what changed. */
export const viewOrDeltaSchema: z.ZodType<View | Delta> = z.union([viewSchema, deltaSchema])

/** An instance as a node echoes it. */
export const resolvedRefSchema: z.ZodType<ResolvedRef> = z.object({
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
  incarnation: incarnationField.exactOptional(),
})

export const registerResultSchema: z.ZodType<RegisterResult> = z.union([
  z.object({
    ok: z.literal(true),
    service: nameField,
    group: nameField,
    id: idField,
    incarnation: incarnationField,
    durability: durabilityField,
  }),
  z.object({ ok: z.literal(false), error: errorBodySchema }),
])

export const registerResponseSchema: z.ZodType<RegisterResponse & { readonly error?: ErrorBody }> = z.object({
  results: z.array(registerResultSchema),
  warnings: warnings.exactOptional(),
  error: errorBodySchema.exactOptional(),
})

export const heartbeatResponseSchema: z.ZodType<HeartbeatResponse & { readonly error?: ErrorBody }> =
  z.object({
    unknown: z.array(resolvedRefSchema),
    deregistered: z.array(resolvedRefSchema),
    superseded: z.array(resolvedRefSchema),
    errors: z.array(errorBodySchema).exactOptional(),
    warnings: warnings.exactOptional(),
    error: errorBodySchema.exactOptional(),
  })

export const deregisterResponseSchema: z.ZodType<DeregisterResponse & { readonly error?: ErrorBody }> =
  z.object({
    removed: z.array(resolvedRefSchema),
    unknown: z.array(resolvedRefSchema),
    superseded: z.array(resolvedRefSchema),
    durability: durabilityField,
    errors: z.array(errorBodySchema).exactOptional(),
    warnings: warnings.exactOptional(),
    error: errorBodySchema.exactOptional(),
  })

export const serviceSummarySchema: z.ZodType<ServiceSummary> = z.object({
  namespace: nameField,
  service: nameField,
  sign: signField,
  metadata: metadataField.exactOptional(),
  groups: z.array(z.object({ group: nameField, sign: signField, total: count, up: count })),
  frozen,
})

export const servicesResponseSchema: z.ZodType<ServicesResponse> = z.object({
  services: z.array(serviceSummarySchema),
  next: z.string().meta({ description: 'Give this as `after` to read on.' }).exactOptional(),
})

export const namespacesResponseSchema: z.ZodType<NamespacesResponse> = z.object({
  namespaces: z.array(
    z.object({
      namespace: nameField,
      services: count,
      instances: count,
      allow: allowField.exactOptional(),
      frozen,
    }),
  ),
})

export const signsResponseSchema: z.ZodType<SignsResponse & { readonly warnings?: readonly string[] }> =
  z.object({
    changed: z.array(z.object({ ...viewName, sign: signField })),
    warnings: warnings.exactOptional(),
  })

/** Answer to a declaration. */
export const declaredResponseSchema: z.ZodType<DeclaredResponse> = z.object({
  durability: durabilityField,
  warnings: warnings.exactOptional(),
})

/** Answer when a declaration is taken back. */
export const undeclaredResponseSchema: z.ZodType<UndeclaredResponse> = z.object({
  removed: z.boolean(),
})
