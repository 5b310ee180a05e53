/**
 * Records and declarations that a peer sends, checked before the core takes them in. Fields that this version does not know
 * are kept, because nodes of two versions work on one record; words that it does not know are refused with their entry.
 */
import type {
  Declaration,
  Learnable,
  LiveContent,
  Register,
  StoredRecord,
  Verdict,
  Wishes,
} from '@rollcall/core'
import { ID_PATTERN, NAME_PATTERN, type NamespaceSettings, type ServiceSettings } from '@rollcall/wire'
import {
  any,
  allowField,
  boolean,
  choice,
  count,
  type Fields,
  hostField,
  idField,
  integer,
  intentField,
  isJsonObject,
  literal,
  livenessField,
  nameField,
  object,
  optional,
  pairs,
  portField,
  predicateOf,
  probeShape,
  readerOf,
  serviceSettingsShape,
  type Shape,
  sign,
  signatureFields,
  text,
  union,
  Warnings,
} from '@rollcall/wire/shapes'

/** Metadata of one instance, whatever the node that accepted it allows. */
const PAIRS_CHARS_MAX = 131_072
const NODE_CHARS_MAX = 256
const REASON_CHARS_MAX = 1_024

const BOUNDED = { open: true, bounds: { textCharsMax: 2_048, pairsCharsMax: PAIRS_CHARS_MAX } } as const

const nodeField = text({ maxLength: NODE_CHARS_MAX })
const numberField = count()

const liveFields: Fields<LiveContent> = {
  intent: intentField,
  rev: numberField,
  host: hostField,
  port: portField,
  protocol: optional(nameField),
  weight: integer({ minimum: 0, maximum: 2 ** 31 }),
  zone: optional(nameField),
  metadata: pairs(),
  leaseMs: numberField,
  liveness: livenessField,
  probe: optional(probeShape),
  named: boolean(),
  peer: optional(text({ maxLength: 64 })),
  restored: optional(literal(true)),
  digest: sign,
}

const contentShape: Shape<StoredRecord['content']> = union(
  object<LiveContent>(liveFields),
  object<Extract<StoredRecord['content'], { readonly intent: 'gone' }>>({
    intent: literal('gone'),
    rev: numberField,
    by: choice(['provider', 'host', 'operator']),
    last: optional(object<LiveContent>(liveFields)),
  }),
)

/** A register whose value is looked at apart: null, which no shape describes, says that it was taken back. */
function registerShape<T>(): Shape<Register<T>> {
  return object<Register<unknown>>({
    counter: numberField,
    node: nodeField,
    value: any,
    ...signatureFields,
  }) as Shape<Register<T>>
}

const recordShape = object<StoredRecord>({
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
  incarnation: numberField,
  content: contentShape,
  verdict: object<Verdict>({
    value: choice(['up', 'suspect', 'down', 'expired']),
    claim: numberField,
    node: nodeField,
    seq: numberField,
    reason: text({ maxLength: REASON_CHARS_MAX }),
  }),
  override: optional(registerShape<Wishes>()),
})

const wishesShape = object<Wishes>({
  drain: optional(boolean()),
  disable: optional(boolean()),
  weight: optional(
    object<NonNullable<Wishes['weight']>>({
      value: integer({ minimum: 0, maximum: 2 ** 31 }),
      incarnation: numberField,
    }),
  ),
  durationMs: optional(numberField),
})

/** The value itself, or undefined where it is none that this version can take. */
type ReadValue<T> = (value: unknown) => T | undefined

function checked<T>(shape: Shape<T>): ReadValue<T> {
  const isBounded = predicateOf(shape, BOUNDED)
  const reader = readerOf(shape)
  return (value) => {
    if (!isBounded(value)) return undefined
    return reader.read(value, '', new Warnings()).ok ? (value as T) : undefined
  }
}

function orNull<T>(read: ReadValue<T>): ReadValue<T | null> {
  return (value) => (value === null ? null : read(value))
}

const readRecord = checked<StoredRecord>(recordShape)
const readWishes = orNull(checked<Wishes>(wishesShape))
const readService = orNull(checked<ServiceSettings>(serviceSettingsShape))
const readNamespace = orNull(
  checked<NamespaceSettings>(object<NamespaceSettings>({ allow: optional(allowField) })),
)
const readFreeze = orNull<true>((value) => (value === true ? true : undefined))
const readRegister = checked<Register<unknown>>(registerShape<unknown>())

/** The entry itself; undefined where this version cannot read it. */
export function readLearnable(value: unknown): Learnable | undefined {
  return isJsonObject(value) && isLearnable(value) ? (value as unknown as Learnable) : undefined
}

function isLearnable({
  kind,
  namespace,
  service,
  record,
  register,
}: Readonly<Record<string, unknown>>): boolean {
  switch (kind) {
    case 'record':
      return isRecord(record)
    case 'service':
      return isName(namespace) && isName(service) && isRegister(register, readService)
    case 'namespace':
      return isName(namespace) && isRegister(register, readNamespace)
    case 'freeze':
      return (namespace === '*' || isName(namespace)) && isRegister(register, readFreeze)
    default:
      return false
  }
}

function isRecord(value: unknown): boolean {
  const record = readRecord(value)
  if (record === undefined || !hasNames(record)) return false
  return record.override === undefined || isRegister(record.override, readWishes)
}

function hasNames({ namespace, service, group, id }: StoredRecord): boolean {
  return isName(namespace) && isName(service) && isName(group) && ID_PATTERN.test(id)
}

function isRegister<T>(value: unknown, read: ReadValue<T | null>): boolean {
  const register = readRegister(value)
  return register !== undefined && read(register.value) !== undefined
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME_PATTERN.test(value)
}

/** About the bytes of an entry as JSON, without making it: for the bound of what waits. */
export function learnableBytes(entry: Learnable | Declaration): number {
  return entry.kind === 'record' ? recordBytes(entry.record) : 256 + valueBytes(entry.register.value)
}

/** Names of fields, numbers and the other words of a record. */
const RECORD_BYTES = 420

function recordBytes({ namespace, service, group, id, content, override }: StoredRecord): number {
  const live = content.intent === 'gone' ? content.last : content
  let bytes = RECORD_BYTES + namespace.length + service.length + group.length + id.length
  if (override !== undefined) bytes += 256
  if (live === undefined) return bytes
  bytes += live.host.length + valueBytes(live.metadata)
  return live.probe === undefined ? bytes : bytes + valueBytes(live.probe)
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 3
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + valueBytes(each), 2)
  if (!isJsonObject(value)) return 6
  let bytes = 2
  for (const name in value) bytes += name.length + 4 + valueBytes(value[name])
  return bytes
}
