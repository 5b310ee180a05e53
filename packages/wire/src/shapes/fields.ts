/**
 * Fields that several shapes share. Patterns and ranges of what callers send are notes: the core judges names and
 * limits item by item, with errors that say more. Both take them from one place, and a test holds the document against
 * what a node takes (`tests/integration/document-bounds.test.ts`).
 */
import { ERROR_CODES, type ErrorBody, type ErrorCode } from '../errors.js'
import { ALLOW_FORM, HOST_FORM } from '../host-forms.js'
import { DECLARATION_LIMITS, DEFAULTS, ID_FORM, LIMITS, NAME_FORM, NAME_OR_ALL_FORM } from '../limits.js'
import type { Signature } from '../operators.js'
import { OPERATOR_LIMITS } from '../operators.js'
import {
  anyObject,
  choice,
  integer,
  list,
  object,
  optional,
  pairs,
  text,
  type Fields,
  type Shape,
} from '../shape/shape.js'
import { DURABILITIES, STATES, type Durability, type Intent, type Liveness, type State } from '../types.js'

const name = { ...NAME_FORM, maxLength: 128 }

/** Name of a namespace, service, group, zone or protocol. */
export const nameField: Shape<string> = text(name)

/** Name with a remark. */
export const namedField = (description: string): Shape<string> => text({ ...name, description })

/** Protocol of another registry by which something was done. */
export const viaField: Shape<string> = namedField(
  'Protocol of another registry by which it came, such as eureka; absent where it was this one.',
)

/** Namespace of one item, or the default of a whole body. */
export const namespaceField: Shape<string> = text({ ...name, default: DEFAULTS.namespace })

/** Namespace of a request that may mean all of them. */
export const namespaceOrAllField = (description: string): Shape<string> =>
  text({ ...NAME_OR_ALL_FORM, maxLength: 128, default: DEFAULTS.namespace, description })

/** Group of an item. */
export const groupField: Shape<string> = text({ ...name, default: DEFAULTS.group })

/** Id of an instance. */
export const idField: Shape<string> = text({ ...ID_FORM, maxLength: 320 })

/** Address of an instance. */
export const hostField: Shape<string> = text({
  ...HOST_FORM,
  description:
    'IPv4 or IPv6 address without brackets, or a DNS name. Not an address of no single instance: unspecified, multicast, broadcast.',
  minLength: 1,
  maxLength: 253,
})

/** Port of an instance. */
export const portField: Shape<number> = integer({ minimum: 1, maximum: 65_535 })

/** Share of the calls an instance should get. */
export const weightField: Shape<number> = integer({
  minimum: 0,
  maximum: 'weightMax',
  default: DEFAULTS.weight,
})

/** Free text pairs. */
export const metadataField: Shape<Readonly<Record<string, string>>> = pairs({
  maxProperties: 'metadataKeysMax',
  keys: { minLength: 1 },
  description: `Free text pairs. Keys and values together have at most ${LIMITS.metadataBytesMax} bytes of UTF-8, unless a node is configured otherwise.`,
})

/** Which registration intent of a process is meant. */
export const incarnationField: Shape<number> = integer({
  minimum: 0,
  description: 'Number of a registration intent; the higher one wins.',
})

/** What consumers see of an instance. */
export const stateField: Shape<State> = choice(STATES)

/** What a provider says of itself. */
export const intentField: Shape<Intent> = choice(['starting', 'up', 'draining'], { default: 'up' })

/** How an instance is watched. */
export const livenessField: Shape<Liveness> = choice(['lease', 'probe', 'static'], { default: 'lease' })

/** Where a write is kept. */
export const durabilityField: Shape<Durability> = choice(DURABILITIES)

/** Networks that may register. */
export const allowField: Shape<readonly string[]> = list(
  text({ ...ALLOW_FORM, minLength: 1, maxLength: 253 }),
  {
    maxItems: DECLARATION_LIMITS.allowMax,
    description: 'Addresses, CIDR blocks or host names that may register; any may when absent.',
  },
)

/** Nodes that were asked in vain. */
export const unansweredField: Shape<readonly string[]> = list(text(), {
  description: 'Other nodes of the cluster that did not answer; absent where all did.',
})

/** Most items of a batch. */
export const BATCH: { readonly maxItems: 'batchItemsMax' } = { maxItems: 'batchItemsMax' }

/** Token of the next page. */
export const nextField: Shape<string> = text({ description: 'Give this as `after` to read on.' })

/** Unknown fields of the request. */
export const warningsField: Shape<readonly string[]> = list(text(), {
  description: 'Fields that were ignored because this node does not know them.',
})

/** Author and reason, in every request of an operator. */
export const signatureFields: Fields<Signature> = {
  by: optional(text({ maxLength: OPERATOR_LIMITS.byCharsMax, description: 'Who does it.' })),
  why: optional(
    text({ maxLength: OPERATOR_LIMITS.whyCharsMax, description: 'Why, for those who find it later.' }),
  ),
}

/** The value of `error` wherever an error travels. */
export const errorShape: Shape<ErrorBody> = object<ErrorBody>({
  code: choice(Object.keys(ERROR_CODES) as ErrorCode[]),
  message: text(),
  field: optional(text({ description: 'Path of the offending field, such as `instances[3].port`.' })),
  details: optional(anyObject),
})

/** Every answer that is nothing but an error. */
export const errorResponseShape: Shape<{ readonly error: ErrorBody }> = object({ error: errorShape })
