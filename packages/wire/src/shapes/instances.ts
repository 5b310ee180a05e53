/** Shapes of instances, and of what is asked and answered about them. */
import { DNS_FORM } from '../host-forms.js'
import { DEFAULTS, PROBE_FORMS, PROBE_LIMITS, REV_MAX } from '../limits.js'
import type { RestoreReason, RestoreRequest, RestoreResponse, Restored } from '../operators.js'
import {
  boolean,
  choice,
  count,
  integer,
  list,
  literal,
  object,
  optional,
  pairs,
  sign,
  text,
  union,
  type Fields,
  type Shape,
} from '../shape/shape.js'
import {
  STATES,
  type DeregisterRequest,
  type DeregisterResponse,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type Instance,
  type InstanceRef,
  type OfBatch,
  type Probe,
  type ProbeTls,
  type Refused,
  type RegisterRequest,
  type RegisterResponse,
  type Registered,
  type RegisterResult,
  type InstanceSpec,
  type Remove,
  type ResolvedRef,
} from '../types.js'
import {
  BATCH,
  durabilityField,
  errorShape,
  groupField,
  hostField,
  idField,
  incarnationField,
  intentField,
  livenessField,
  metadataField,
  namedField,
  nameField,
  namespaceField,
  namespaceOrAllField,
  portField,
  signatureFields,
  stateField,
  viaField,
  warningsField,
  weightField,
} from './fields.js'

/** An HTTP status that a probe may accept. */
const STATUS: Shape<number> = integer({ minimum: 200, maximum: 599 })

const tlsShape: Shape<ProbeTls> = object<ProbeTls>({
  insecure: optional(boolean()),
  serverName: optional(text({ ...DNS_FORM, maxLength: 253 })),
})

/** How a node asks an instance whether it lives, as fields. */
export const probeFields: Fields<Probe> = {
  type: choice(['tcp', 'http', 'grpc', 'none']),
  port: optional(portField),
  path: optional(
    text({
      pattern: PROBE_FORMS.path,
      default: '/',
      maxLength: PROBE_LIMITS.pathCharsMax,
      description: 'http: path and query to GET.',
    }),
  ),
  status: optional(
    union(text({ pattern: PROBE_FORMS.status, maxLength: PROBE_LIMITS.statusCharsMax }), STATUS, {
      default: '200-299',
      description: 'http: accepted statuses, one or a list with ranges such as `200-299,401`.',
    }),
  ),
  headers: optional(
    pairs({
      maxProperties: PROBE_LIMITS.headersMax,
      keys: { minLength: 1, maxLength: PROBE_LIMITS.headerNameCharsMax },
      values: { maxLength: PROBE_LIMITS.headerValueCharsMax },
      description: `http: headers to send, names and values together at most ${PROBE_LIMITS.headerCharsMax} characters.`,
    }),
  ),
  serviceName: optional(
    text({
      pattern: PROBE_FORMS.serviceName,
      maxLength: PROBE_LIMITS.serviceNameCharsMax,
      description: 'grpc: service to ask for, default the server as a whole.',
    }),
  ),
  tls: optional(
    union(boolean(), tlsShape, {
      default: false,
      description: 'http and grpc: ask over TLS; `true` verifies the registered host.',
    }),
  ),
}

/** How a node asks an instance whether it lives. */
export const probeShape: Shape<Probe> = object<Probe>(probeFields)

/** One instance to be registered. */
export const instanceSpecShape: Shape<InstanceSpec> = object<InstanceSpec>({
  namespace: optional(namespaceField),
  service: nameField,
  group: optional(groupField),
  id: optional(idField),
  host: hostField,
  port: portField,
  protocol: optional(nameField),
  weight: optional(weightField),
  zone: optional(nameField),
  metadata: optional(metadataField),
  state: optional(intentField),
  leaseMs: optional(integer({ minimum: 'leaseMsMin', maximum: 'leaseMsMax', default: DEFAULTS.leaseMs })),
  incarnation: optional(incarnationField),
  rev: optional(
    integer({ minimum: 0, maximum: REV_MAX, description: 'Version of the content within the incarnation.' }),
  ),
  liveness: optional(livenessField),
  probe: optional(probeShape),
})

/** Names one instance. */
export const instanceRefShape: Shape<InstanceRef> = object<InstanceRef>({
  namespace: optional(namespaceField),
  service: nameField,
  group: optional(groupField),
  id: idField,
  incarnation: optional(incarnationField),
})

/** An instance as a node echoes it. */
export const resolvedRefShape: Shape<ResolvedRef> = object<ResolvedRef>({
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
  incarnation: optional(incarnationField),
})

/** The whole name of an instance. */
export const instanceKeyFields: Fields<Required<Omit<ResolvedRef, 'incarnation'>>> = {
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
}

/** What consumers see. A node may be configured to take larger weights, so there is no maximum. */
export const instanceShape: Shape<Instance> = object<Instance>({
  ...instanceKeyFields,
  host: hostField,
  port: portField,
  protocol: optional(nameField),
  weight: count(),
  zone: optional(nameField),
  metadata: metadataField,
  via: optional(viaField),
  state: stateField,
  stateAgeMs: count(),
  incarnation: incarnationField,
  digest: sign,
  reason: optional(text()),
})

export const removeShape: Shape<Remove> = object<Remove>({
  group: nameField,
  id: idField,
  incarnation: incarnationField,
  reason: choice(['deregistered', 'expired', 'replaced']),
})

/** An item of a batch that was refused. */
export const refusedShape: Shape<Refused> = object<Refused>({ ok: literal(false), error: errorShape })

export const registerRequestFields: Fields<RegisterRequest> = {
  namespace: optional(namespaceField),
  instances: list(instanceSpecShape, BATCH),
}
export const registerRequestShape: Shape<RegisterRequest> = object(registerRequestFields)

export const heartbeatRequestFields: Fields<HeartbeatRequest> = {
  namespace: optional(namespaceField),
  instances: list(instanceRefShape, BATCH),
}
export const heartbeatRequestShape: Shape<HeartbeatRequest> = object(heartbeatRequestFields)

/** Either `instances` or `host`. */
export const deregisterRequestFields: Fields<DeregisterRequest> = {
  namespace: optional(namespaceOrAllField('With `host`, `*` for all namespaces.')),
  instances: optional(list(instanceRefShape, BATCH)),
  host: optional(hostField),
  confirm: optional(boolean()),
  ...signatureFields,
}
export const deregisterRequestShape: Shape<DeregisterRequest> = object(deregisterRequestFields)

export const registerResultShape: Shape<RegisterResult> = union(
  object<Registered>({
    ok: literal(true),
    service: nameField,
    group: nameField,
    id: idField,
    incarnation: incarnationField,
    durability: durabilityField,
    state: optional(
      choice(STATES, { description: 'What consumers see, where that is not what was asked for.' }),
    ),
    reason: optional(text({ description: 'Why it is in this state.' })),
  }),
  refusedShape,
)

/** Beside the usual answer of a batch of which every item failed. */
export const errorOfBatch: Fields<OfBatch<object>> = { error: optional(errorShape) }

export const registerResponseFields: Fields<RegisterResponse> = {
  results: list(registerResultShape),
  warnings: optional(warningsField),
}
export const registerResponseShape: Shape<OfBatch<RegisterResponse>> = object<OfBatch<RegisterResponse>>({
  ...registerResponseFields,
  ...errorOfBatch,
})

export const heartbeatResponseFields: Fields<HeartbeatResponse> = {
  unknown: list(resolvedRefShape),
  deregistered: list(resolvedRefShape),
  superseded: list(resolvedRefShape),
  errors: optional(list(errorShape)),
  warnings: optional(warningsField),
}
export const heartbeatResponseShape: Shape<OfBatch<HeartbeatResponse>> = object<OfBatch<HeartbeatResponse>>({
  ...heartbeatResponseFields,
  ...errorOfBatch,
})

export const deregisterResponseFields: Fields<DeregisterResponse> = {
  removed: list(resolvedRefShape),
  unknown: list(resolvedRefShape),
  superseded: list(resolvedRefShape),
  durability: durabilityField,
  errors: optional(list(errorShape)),
  warnings: optional(warningsField),
}
export const deregisterResponseShape: Shape<OfBatch<DeregisterResponse>> = object<
  OfBatch<DeregisterResponse>
>({
  ...deregisterResponseFields,
  ...errorOfBatch,
})

const restoreReason: Shape<RestoreReason> = choice(['deregistered', 'expired'])

export const restoreRequestShape: Shape<RestoreRequest> = object<RestoreRequest>({
  namespace: optional(namespaceField),
  service: nameField,
  group: optional(namedField('Only this group.')),
  sinceMs: optional(count('Only what left within this long.')),
  ids: optional(list(idField, { ...BATCH, description: 'Only these.' })),
  reasons: optional(list(restoreReason, { description: 'Default both.' })),
  dryRun: optional(boolean({ description: 'Say what would come back, and change nothing.' })),
  ...signatureFields,
})

export const restoreResponseShape: Shape<RestoreResponse> = object<RestoreResponse>({
  dryRun: boolean(),
  results: list(
    union(
      object<Restored>({
        ok: literal(true),
        ...instanceKeyFields,
        incarnation: integer({ minimum: 0, description: 'A new one for what was deregistered.' }),
        host: text(),
        port: portField,
        was: restoreReason,
        goneMs: count('How long ago it left.'),
      }),
      object<Refused & { readonly id: string; readonly group: string }>({
        ok: literal(false),
        group: text(),
        id: idField,
        error: errorShape,
      }),
    ),
  ),
  durability: durabilityField,
  warnings: optional(warningsField),
})
