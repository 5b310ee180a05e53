/** Request bodies of the HTTP API. Batches are documented whole here and judged item by item in readers.ts. */
import { z } from 'zod'
import { DEFAULTS, LIMITS } from '../limits.js'
import type {
  BreakerSettings,
  DeregisterRequest,
  HeartbeatRequest,
  InstanceRef,
  NamespaceSettings,
  RegisterRequest,
  Registration,
  ServiceSettings,
  SignsRequest,
} from '../types.js'
import type { WatchItem } from '../messages.js'
import {
  allowField,
  groupField,
  hostField,
  idField,
  incarnationField,
  intentField,
  livenessField,
  metadataField,
  nameField,
  namespaceField,
  portField,
  probeSchema,
  signField,
  weightField,
} from './fields.js'

const batch = { maxItems: LIMITS.batchItemsMax }

/** One instance to be registered. */
export const registrationSchema: z.ZodType<Registration> = z.object({
  namespace: namespaceField.exactOptional(),
  service: nameField,
  group: groupField.exactOptional(),
  id: idField.exactOptional(),
  host: hostField,
  port: portField,
  protocol: nameField.exactOptional(),
  weight: weightField.exactOptional(),
  zone: nameField.exactOptional(),
  metadata: metadataField.exactOptional(),
  state: intentField.exactOptional(),
  leaseMs: z
    .int()
    .meta({ minimum: LIMITS.leaseMsMin, maximum: LIMITS.leaseMsMax, default: DEFAULTS.leaseMs })
    .exactOptional(),
  incarnation: incarnationField.exactOptional(),
  rev: z
    .int()
    .meta({ minimum: 0, description: 'Version of the content within the incarnation.' })
    .exactOptional(),
  liveness: livenessField.exactOptional(),
  probe: probeSchema.exactOptional(),
})

/** Names one instance. */
export const instanceRefSchema: z.ZodType<InstanceRef> = z.object({
  namespace: namespaceField.exactOptional(),
  service: nameField,
  group: groupField.exactOptional(),
  id: idField,
  incarnation: incarnationField.exactOptional(),
})

/** Names one view and the sign of the list the caller holds. */
export const signItemSchema: z.ZodType<SignsRequest['services'][number]> = z.object({
  namespace: namespaceField.exactOptional(),
  service: nameField,
  group: nameField.exactOptional(),
  sign: signField,
})

/** Names one view to watch. */
export const watchItemSchema: z.ZodType<WatchItem> = z.object({
  namespace: namespaceField.exactOptional(),
  service: nameField,
  group: nameField.exactOptional(),
  sign: signField.exactOptional(),
})

export const registerRequestSchema: z.ZodType<RegisterRequest> = z.object({
  namespace: namespaceField.exactOptional(),
  instances: z.array(registrationSchema).meta(batch),
})

export const heartbeatRequestSchema: z.ZodType<HeartbeatRequest> = z.object({
  namespace: namespaceField.exactOptional(),
  instances: z.array(instanceRefSchema).meta(batch),
})

/** Either `instances` or `host`. */
export const deregisterRequestSchema: z.ZodType<DeregisterRequest> = z.object({
  namespace: namespaceField.exactOptional(),
  instances: z.array(instanceRefSchema).meta(batch).exactOptional(),
  host: hostField.exactOptional(),
  confirm: z.boolean().exactOptional(),
})

export const signsRequestSchema: z.ZodType<SignsRequest> = z.object({
  namespace: namespaceField.exactOptional(),
  services: z.array(signItemSchema).meta(batch),
})

/** How much silence is believed of a service. */
export const breakerSettingsSchema: z.ZodType<BreakerSettings> = z.object({
  enabled: z
    .boolean()
    .meta({ default: true, description: 'Without it, silence may take every instance.' })
    .exactOptional(),
  share: z
    .number()
    .meta({
      minimum: 0,
      maximum: 1,
      default: 0.3,
      description: 'Share of the listed instances that silence may hold `down`.',
    })
    .exactOptional(),
})

export const serviceSettingsSchema: z.ZodType<ServiceSettings> = z.object({
  groups: z.array(nameField).exactOptional(),
  allow: allowField.exactOptional(),
  metadata: metadataField.exactOptional(),
  removalMs: z
    .int()
    .meta({ minimum: 0, description: 'How long a `down` instance stays listed before it expires.' })
    .exactOptional(),
  breaker: breakerSettingsSchema.exactOptional(),
})

export const namespaceSettingsSchema: z.ZodType<NamespaceSettings> = z.object({
  allow: allowField.exactOptional(),
})
