/** Bodies of the operators' part of the HTTP API: requests, and answers for the OpenAPI document. */
import { z } from 'zod'
import { LIMITS } from '../limits.js'
import {
  OPERATOR_LIMITS,
  type OverrideClearing,
  type OverrideRequest,
  type FreezeRequest,
  type FreezeSummary,
  type FreezesList,
  type OverridesList,
  type OverridesResponse,
  type OverrideSummary,
  type RestoreRequest,
  type RestoreResponse,
  type SubscribersResponse,
} from '../operators.js'
import type { ErrorBody } from '../errors.js'
import { EVENT_KINDS, type EventsResponse, type RegistryEvent } from '../events.js'
import {
  durabilityField,
  idField,
  incarnationField,
  nameField,
  namespaceField,
  portField,
  stateField,
  weightField,
} from './fields.js'
import { instanceRefSchema } from './requests.js'
import { errorBodySchema } from './responses.js'

const count = z.int().meta({ minimum: 0 })
const next = z.string().meta({ description: 'Give this as `after` to read on.' })
const warnings = z
  .array(z.string())
  .meta({ description: 'Fields that were ignored because this node does not know them.' })

/** Who and why, in every request of an operator. */
const signature = {
  by: z.string().meta({ maxLength: OPERATOR_LIMITS.byCharsMax, description: 'Who does it.' }).exactOptional(),
  why: z
    .string()
    .meta({ maxLength: OPERATOR_LIMITS.whyCharsMax, description: 'Why, for those who find it later.' })
    .exactOptional(),
}

const refs = z.array(instanceRefSchema).meta({ maxItems: LIMITS.batchItemsMax })
const instanceKey = { namespace: nameField, service: nameField, group: nameField, id: idField }

const wishes = {
  drain: z
    .boolean()
    .meta({ description: 'No new calls; binds to the id, also when it registers anew.' })
    .exactOptional(),
  disable: z
    .boolean()
    .meta({ description: 'Not to be called at all; binds to the id, also when it registers anew.' })
    .exactOptional(),
}

const duration = z
  .int()
  .meta({
    minimum: OPERATOR_LIMITS.durationMsMin,
    maximum: OPERATOR_LIMITS.durationMsMax,
    description: 'Ends by itself after this long; counted anew after a restart of the node.',
  })
  .exactOptional()

const overrideFrame = {
  namespace: namespaceField.exactOptional(),
  ...wishes,
  weight: weightField
    .meta({ description: 'Instead of the registered weight, for the present incarnation only.' })
    .exactOptional(),
  durationMs: duration,
  ...signature,
}
const clearingFrame = { namespace: namespaceField.exactOptional(), ...signature }

/** A request whose items are judged later, one by one. */
export type Framed<T> = Omit<T, 'instances'> & { readonly instances: readonly unknown[] }

export const overrideRequestSchema: z.ZodType<OverrideRequest> = z.object({
  ...overrideFrame,
  instances: refs,
})

/** The same with items unjudged. */
export const overrideFrameSchema: z.ZodType<Framed<OverrideRequest>> = z.object({
  ...overrideFrame,
  instances: z.array(z.unknown()),
})

export const overrideClearingSchema: z.ZodType<OverrideClearing> = z.object({
  ...clearingFrame,
  instances: refs,
})

/** The same with items unjudged. */
export const clearingFrameSchema: z.ZodType<Framed<OverrideClearing>> = z.object({
  ...clearingFrame,
  instances: z.array(z.unknown()),
})

export const overridesResponseSchema: z.ZodType<OverridesResponse & { readonly error?: ErrorBody }> =
  z.object({
    results: z.array(
      z.union([
        z.object({
          ok: z.literal(true),
          ...instanceKey,
          incarnation: incarnationField,
          state: stateField.exactOptional(),
          durability: durabilityField,
        }),
        z.object({ ok: z.literal(false), error: errorBodySchema }),
      ]),
    ),
    warnings: warnings.exactOptional(),
    error: errorBodySchema.exactOptional(),
  })

export const overrideSummarySchema: z.ZodType<OverrideSummary> = z.object({
  ...instanceKey,
  incarnation: incarnationField,
  state: stateField.exactOptional(),
  ...wishes,
  weight: z.object({ value: weightField, incarnation: incarnationField }).exactOptional(),
  durationMs: duration,
  remainingMs: count.exactOptional(),
  counter: count,
  node: z.string(),
  ...signature,
})

export const freezeRequestSchema: z.ZodType<FreezeRequest> = z.object({
  namespace: namespaceField.meta({ description: '`*` for all namespaces.' }).exactOptional(),
  ...signature,
})

export const freezeSummarySchema: z.ZodType<FreezeSummary> = z.object({
  namespace: z.string(),
  ageMs: count,
  ...signature,
})

export const freezesListSchema: z.ZodType<FreezesList> = z.object({
  freezes: z.array(freezeSummarySchema),
})

const reasonField = z.enum(['deregistered', 'expired'])

export const restoreRequestSchema: z.ZodType<RestoreRequest> = z.object({
  namespace: namespaceField.exactOptional(),
  service: nameField,
  group: nameField.meta({ description: 'Only this group.' }).exactOptional(),
  sinceMs: count.meta({ description: 'Only what left within this long.' }).exactOptional(),
  ids: z.array(idField).meta({ maxItems: LIMITS.batchItemsMax, description: 'Only these.' }).exactOptional(),
  reasons: z.array(reasonField).meta({ description: 'Default both.' }).exactOptional(),
  dryRun: z.boolean().meta({ description: 'Say what would come back, and change nothing.' }).exactOptional(),
  ...signature,
})

export const restoreResponseSchema: z.ZodType<RestoreResponse> = z.object({
  dryRun: z.boolean(),
  results: z.array(
    z.union([
      z.object({
        ok: z.literal(true),
        ...instanceKey,
        incarnation: incarnationField.meta({ description: 'A new one for what was deregistered.' }),
        host: z.string(),
        port: portField,
        was: reasonField,
        goneMs: count.meta({ description: 'How long ago it left.' }),
      }),
      z.object({ ok: z.literal(false), group: z.string(), id: idField, error: errorBodySchema }),
    ]),
  ),
  durability: durabilityField,
  warnings: warnings.exactOptional(),
})

export const subscribersResponseSchema: z.ZodType<SubscribersResponse> = z.object({
  subscribers: count.meta({ description: 'Streams and event streams that watch it.' }),
  acknowledged: count.meta({ description: 'Those that have applied what had happened by `seq`.' }),
  pollersMs: count.meta({
    description: 'Until those who poll have asked again; 0 = nobody polls, or all have.',
  }),
  seq: count.meta({ description: 'Ask with this number again: what happens later then does not count.' }),
  settled: z.boolean().meta({ description: 'Everybody has heard.' }),
})

export const registryEventSchema: z.ZodType<RegistryEvent> = z.object({
  seq: count,
  at: z.string().meta({ description: 'ISO 8601, by the clock of the node.' }),
  kind: z.enum(EVENT_KINDS),
  namespace: z.string().exactOptional(),
  service: nameField.exactOptional(),
  group: nameField.exactOptional(),
  id: idField.exactOptional(),
  incarnation: incarnationField.exactOptional(),
  from: stateField.exactOptional(),
  to: stateField.exactOptional(),
  reason: z.string().exactOptional(),
  ...signature,
  peer: z
    .string()
    .meta({ description: 'Address of the caller; absent where the node acted by itself.' })
    .exactOptional(),
  zone: z.string().meta({ description: 'guard_*: zone in which the node doubts its ears.' }).exactOptional(),
  lateMs: count.exactOptional(),
})

export const eventsResponseSchema: z.ZodType<EventsResponse> = z.object({
  node: z.string().meta({ description: 'Another node counts its events from 1.' }),
  events: z.array(registryEventSchema),
  next: count.meta({ description: 'Give this as `after` to read on.' }),
  lost: count.meta({ description: 'Events after `after` that are forgotten already.' }).exactOptional(),
})

export const overridesListSchema: z.ZodType<OverridesList> = z.object({
  overrides: z.array(overrideSummarySchema),
  next: next.exactOptional(),
})
