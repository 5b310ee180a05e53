/** Shapes of overrides. */
import { LIMITS } from '../limits.js'
import {
  OPERATOR_LIMITS,
  type Overridden,
  type OverrideClearing,
  type OverrideRequest,
  type OverridesList,
  type OverridesResponse,
  type OverrideSummary,
} from '../operators.js'
import {
  boolean,
  count,
  integer,
  list,
  literal,
  object,
  optional,
  text,
  union,
  type Fields,
  type Shape,
} from '../shape/shape.js'
import type { OfBatch } from '../types.js'
import {
  BATCH,
  durabilityField,
  incarnationField,
  namespaceField,
  nextField,
  signatureFields,
  stateField,
  warningsField,
  weightField,
} from './fields.js'
import { errorOfBatch, instanceKeyFields, instanceRefShape, refusedShape } from './instances.js'

/** What an override says beside its instances and its author. */
const wishes: Fields<Pick<OverrideRequest, 'drain' | 'disable' | 'durationMs'>> = {
  drain: optional(boolean({ description: 'No new calls; binds to the id, also when it registers anew.' })),
  disable: optional(
    boolean({ description: 'Not to be called at all; binds to the id, also when it registers anew.' }),
  ),
  durationMs: optional(
    integer({
      minimum: OPERATOR_LIMITS.durationMsMin,
      maximum: OPERATOR_LIMITS.durationMsMax,
      description: 'Ends by itself after this long; counted anew after a restart of the node.',
    }),
  ),
}

export const overrideClearingShape: Shape<OverrideClearing> = object<OverrideClearing>({
  namespace: optional(namespaceField),
  instances: list(instanceRefShape, BATCH),
  ...signatureFields,
})

export const overrideRequestShape: Shape<OverrideRequest> = object<OverrideRequest>({
  namespace: optional(namespaceField),
  instances: list(instanceRefShape, BATCH),
  ...wishes,
  weight: optional(
    integer({
      minimum: 0,
      maximum: LIMITS.weightMax,
      description: 'Instead of the registered weight, for the present incarnation only.',
    }),
  ),
  ...signatureFields,
})

export const overridesResponseShape: Shape<OfBatch<OverridesResponse>> = object<OfBatch<OverridesResponse>>({
  results: list(
    union(
      object<Overridden>({
        ok: literal(true),
        ...instanceKeyFields,
        incarnation: incarnationField,
        state: optional(stateField),
        durability: durabilityField,
      }),
      refusedShape,
    ),
  ),
  warnings: optional(warningsField),
  ...errorOfBatch,
})

type Standing = Pick<
  OverrideSummary,
  'drain' | 'disable' | 'weight' | 'durationMs' | 'remainingMs' | 'counter' | 'node' | 'by' | 'why'
>

/** An override that stands, without the instance it stands for. */
export const overrideFields: Fields<Standing> = {
  ...wishes,
  weight: optional(
    object<NonNullable<OverrideSummary['weight']>>({ value: weightField, incarnation: incarnationField }),
  ),
  remainingMs: optional(count()),
  counter: count(),
  node: text(),
  ...signatureFields,
}

export const overrideSummaryShape: Shape<OverrideSummary> = object<OverrideSummary>({
  ...instanceKeyFields,
  incarnation: incarnationField,
  state: optional(stateField),
  ...overrideFields,
})

export const overridesListShape: Shape<OverridesList> = object<OverridesList>({
  overrides: list(overrideSummaryShape),
  next: optional(nextField),
})
