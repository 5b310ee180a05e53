/**
 * Fields that several shapes share. A schema checks types only; patterns and ranges are attached as
 * documentation, because the core judges names and limits item by item, with errors that say more.
 */
import { z } from 'zod'
import { DEFAULTS, ID_PATTERN, LIMITS, NAME_PATTERN, PROBE_LIMITS } from '../limits.js'
import { SIGN_PATTERN } from '../sign.js'
import { STATES, type Durability, type Intent, type Liveness, type Probe, type State } from '../types.js'

/** Name of a namespace, service, group, zone or protocol. */
export const nameField: z.ZodType<string> = z.string().meta({ pattern: NAME_PATTERN.source })

/** Namespace of one item, or the default of a whole body. */
export const namespaceField: z.ZodType<string> = z
  .string()
  .meta({ pattern: NAME_PATTERN.source, default: DEFAULTS.namespace })

/** Group of an item. */
export const groupField: z.ZodType<string> = z
  .string()
  .meta({ pattern: NAME_PATTERN.source, default: DEFAULTS.group })

/** Id of an instance. */
export const idField: z.ZodType<string> = z.string().meta({ pattern: ID_PATTERN.source })

/** Address of an instance. */
export const hostField: z.ZodType<string> = z
  .string()
  .meta({ description: 'IPv4 or IPv6 address, or a DNS name.', maxLength: 253 })

/** Port of an instance. */
export const portField: z.ZodType<number> = z.int().meta({ minimum: 1, maximum: 65_535 })

/** Share of the calls an instance should get. */
export const weightField: z.ZodType<number> = z
  .int()
  .meta({ minimum: 0, maximum: LIMITS.weightMax, default: DEFAULTS.weight })

/** Free text pairs. */
export const metadataField: z.ZodType<Record<string, string>> = z.record(z.string(), z.string()).meta({
  maxProperties: LIMITS.metadataKeysMax,
  description: `At most ${LIMITS.metadataKeysMax} pairs and ${LIMITS.metadataBytesMax} bytes in all; \`__proto__\` is refused as a key.`,
})

/** Which registration intent of a process is meant. */
export const incarnationField: z.ZodType<number> = z
  .int()
  .meta({ minimum: 0, description: 'Number of a registration intent; the higher one wins.' })

/** A digest or sign in its wire form. */
export const signField: z.ZodType<string> = z.string().meta({ pattern: SIGN_PATTERN.source })

/** What consumers see of an instance. */
export const stateField: z.ZodType<State> = z.enum(STATES)

/** What a provider says of itself. */
export const intentField: z.ZodType<Intent> = z.enum(['starting', 'up', 'draining']).meta({ default: 'up' })

/** How an instance is watched. */
export const livenessField: z.ZodType<Liveness> = z
  .enum(['lease', 'probe', 'static'])
  .meta({ default: 'lease' })

/** Where a write is kept. */
export const durabilityField: z.ZodType<Durability> = z.enum(['memory', 'disk', 'replicated'])

/** Networks that may register. */
export const allowField: z.ZodType<string[]> = z
  .array(z.string())
  .meta({ description: 'Addresses or CIDR blocks that may register; everybody when absent.' })

/** How a node asks an instance whether it lives. */
export const probeSchema: z.ZodType<Probe> = z.object({
  type: z.enum(['tcp', 'http', 'grpc', 'none']),
  port: portField.exactOptional(),
  path: z
    .string()
    .meta({ default: '/', maxLength: PROBE_LIMITS.pathCharsMax, description: 'http: path and query to GET.' })
    .exactOptional(),
  status: z
    .union([z.string(), z.int()])
    .meta({
      default: '200-299',
      description: 'http: accepted statuses, one or a list with ranges such as `200-299,401`.',
    })
    .exactOptional(),
  headers: z
    .record(z.string(), z.string())
    .meta({ maxProperties: PROBE_LIMITS.headersMax, description: 'http: headers to send.' })
    .exactOptional(),
  serviceName: z
    .string()
    .meta({
      maxLength: PROBE_LIMITS.serviceNameCharsMax,
      description: 'grpc: service to ask for, default the server as a whole.',
    })
    .exactOptional(),
  tls: z
    .union([
      z.boolean(),
      z.object({ insecure: z.boolean().exactOptional(), serverName: z.string().exactOptional() }),
    ])
    .meta({
      default: false,
      description: 'http and grpc: ask over TLS; `true` verifies the registered host.',
    })
    .exactOptional(),
})
