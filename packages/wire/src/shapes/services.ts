/** Shapes of services: their lists, signs, declarations and subscribers. */
import { DECLARATION_LIMITS } from '../limits.js'
import type { WatchItem } from '../messages.js'
import type { SubscribersResponse } from '../operators.js'
import {
  boolean,
  count,
  integer,
  list,
  literal,
  number,
  object,
  optional,
  sign,
  text,
  union,
  type Fields,
  type OptionalField,
  type Shape,
} from '../shape/shape.js'
import type {
  BreakerSettings,
  DeclaredResponse,
  Delta,
  GroupSummary,
  Guard,
  ServiceSettings,
  ServicesResponse,
  ServiceSummary,
  SignsRequest,
  SignsResponse,
  UndeclaredResponse,
  View,
  ViewName,
  Warned,
} from '../types.js'
import {
  allowField,
  BATCH,
  durabilityField,
  metadataField,
  nameField,
  namespaceField,
  nextField,
  unansweredField,
  warningsField,
} from './fields.js'
import { instanceShape, removeShape } from './instances.js'

const viewNameFields: Fields<ViewName> = {
  namespace: nameField,
  service: nameField,
  group: optional(nameField),
}

/** Whether an operator froze the namespace. */
export const frozenField: OptionalField<true> = optional(
  literal(true, { description: 'An operator froze the namespace.' }),
)

/** What a guard holds back. */
export const guardShape: Shape<Guard> = object<Guard>({ tripped: boolean(), kept: count() })

export const viewFields: Fields<View> = {
  ...viewNameFields,
  sign,
  instances: list(instanceShape),
  removes: optional(list(removeShape)),
  guard: guardShape,
  stale: boolean(),
  frozen: frozenField,
}
export const viewShape: Shape<View> = object(viewFields, {
  description: 'A whole list. Of the two answers of a lookup it is the one with `instances`.',
})

export const deltaFields: Fields<Delta> = {
  ...viewNameFields,
  from: sign,
  to: sign,
  upserts: list(instanceShape),
  removes: list(removeShape),
  parts: optional(
    object<NonNullable<Delta['parts']>>(
      { count: count(), differing: list(count()) },
      { description: 'Only on a stream: of these parts of the list `upserts` are all there is.' },
    ),
  ),
}
export const deltaShape: Shape<Delta> = object(deltaFields, {
  description:
    'What leads from the list of the sign `from` to that of `to`. It has `upserts`, and no `instances`.',
})

/** Answer of a lookup: the list, or with `since` what changed. */
export const viewOrDeltaShape: Shape<View | Delta> = union(viewShape, deltaShape)

/** Names one view to watch. */
export const watchItemShape: Shape<WatchItem> = object<WatchItem>({
  namespace: optional(namespaceField),
  service: nameField,
  group: optional(nameField),
  sign: optional(sign),
  sums: optional(
    text({
      description:
        'Sums of the parts of the list with that sign, as the node asked for them. Only in `watch`.',
    }),
  ),
})

export const signsRequestFields: Fields<SignsRequest> = {
  namespace: optional(namespaceField),
  services: list(
    object<SignsRequest['services'][number]>({
      namespace: optional(namespaceField),
      service: nameField,
      group: optional(nameField),
      sign,
    }),
    BATCH,
  ),
}
export const signsRequestShape: Shape<SignsRequest> = object(signsRequestFields)

export const signsResponseFields: Fields<SignsResponse> = {
  changed: list(object<ViewName & { readonly sign: string }>({ ...viewNameFields, sign })),
}
export const signsResponseShape: Shape<Warned<SignsResponse>> = object<Warned<SignsResponse>>({
  ...signsResponseFields,
  warnings: optional(warningsField),
})

export const serviceSummaryShape: Shape<ServiceSummary> = object<ServiceSummary>({
  namespace: nameField,
  service: nameField,
  sign,
  metadata: optional(metadataField),
  groups: list(object<GroupSummary>({ group: nameField, sign, total: count(), up: count() })),
  frozen: frozenField,
})

export const servicesResponseFields: Fields<ServicesResponse> = {
  services: list(serviceSummaryShape),
  next: optional(nextField),
}
export const servicesResponseShape: Shape<ServicesResponse> = object(servicesResponseFields)

/** How much silence is believed of a service. */
export const breakerSettingsShape: Shape<BreakerSettings> = object<BreakerSettings>({
  enabled: optional(boolean({ default: true, description: 'Without it, silence may take every instance.' })),
  share: optional(
    number({
      minimum: 0,
      maximum: 1,
      default: 0.3,
      description: 'Share of the listed instances that silence may hold `down`.',
    }),
  ),
})

export const serviceSettingsShape: Shape<ServiceSettings> = object<ServiceSettings>({
  groups: optional(list(nameField, { maxItems: DECLARATION_LIMITS.groupsMax })),
  allow: optional(allowField),
  metadata: optional(metadataField),
  removalMs: optional(
    integer({
      minimum: DECLARATION_LIMITS.removalMsMin,
      maximum: DECLARATION_LIMITS.removalMsMax,
      description: 'How long a `down` instance stays listed before it expires.',
    }),
  ),
  breaker: optional(breakerSettingsShape),
})

/** Answer to a declaration. */
export const declaredResponseShape: Shape<DeclaredResponse> = object<DeclaredResponse>({
  durability: durabilityField,
  warnings: optional(warningsField),
})

/** Answer when a declaration is taken back. */
export const undeclaredResponseShape: Shape<UndeclaredResponse> = object<UndeclaredResponse>({
  removed: boolean(),
})

export const subscribersResponseShape: Shape<SubscribersResponse> = object<SubscribersResponse>({
  subscribers: count('Streams and event streams that watch it.'),
  acknowledged: count('Those that have applied what had happened by `seq`.'),
  pollersMs: count('Until all pollers have asked again; 0 = nothing polls, or all have.'),
  seq: count('Ask with this number again: what happens later then does not count.'),
  settled: boolean({ description: 'All of them have heard.' }),
  unanswered: optional(unansweredField),
})
