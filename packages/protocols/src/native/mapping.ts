/** From requests of the wire to commands of the core, and the core's answers back. Pure. */
import type { RegisterCommand, WatchCommand } from '@rollcall/core'
import {
  DEFAULTS,
  errorBody,
  NAME_PATTERN,
  NAME_WORDS,
  isSign,
  PARTS_MAX,
  partsOf,
  RegistryError,
  type Durability,
  type ErrorBody,
  type InstanceRef,
  type Refused,
  type InstanceSpec,
  type ResolvedRef,
  type SignsRequest,
  type ViewName,
  type WatchItem,
} from '@rollcall/wire'
import type { Batch } from '@rollcall/wire/schemas'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({})

/** `host:port`, with brackets around an IPv6 address. */
export function defaultId(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Fills in defaults. `namespace` is the default of the whole request. */
export function toRegisterCommand(item: InstanceSpec, namespace: string): RegisterCommand {
  const command: Writable<RegisterCommand> = {
    namespace: item.namespace ?? namespace,
    service: item.service,
    group: item.group ?? DEFAULTS.group,
    id: item.id ?? defaultId(item.host, item.port),
    host: item.host,
    port: item.port,
    weight: item.weight ?? DEFAULTS.weight,
    metadata: item.metadata ?? NO_METADATA,
    intent: item.state ?? 'up',
    leaseMs: item.leaseMs ?? DEFAULTS.leaseMs,
    liveness: item.liveness ?? 'lease',
  }
  if (item.protocol !== undefined) command.protocol = item.protocol
  if (item.zone !== undefined) command.zone = item.zone
  if (item.probe !== undefined) command.probe = item.probe
  if (item.incarnation !== undefined) command.incarnation = item.incarnation
  if (item.rev !== undefined) command.rev = item.rev
  return command
}

/** Fills in defaults. */
export function toRef(item: InstanceRef, namespace: string): ResolvedRef {
  const ref: Writable<ResolvedRef> = {
    namespace: item.namespace ?? namespace,
    service: item.service,
    group: item.group ?? DEFAULTS.group,
    id: item.id,
  }
  if (item.incarnation !== undefined) ref.incarnation = item.incarnation
  return ref
}

/** The same for a whole batch. */
export function toRefs(batch: Batch<InstanceRef>, namespace: string): ResolvedRef[] {
  const own = batch.namespace ?? namespace
  return batch.items.map((item) => toRef(item, own))
}

/** Results of the core, each with how durable the command is. They become this function's: copies would cost more than routing. */
export function durable<T extends { readonly ok: true }>(
  results: readonly (T | Refused)[],
  durability: Durability,
): readonly ((T & { readonly durability: Durability }) | Refused)[] {
  const added = { durability }
  return results.map((result) => (result.ok ? Object.assign(result, added) : result))
}

/** Errors of one answer that are told in full. Those after them take ten times the bytes of what was refused. */
const ERRORS_IN_FULL = 100

/** The core's results and the items refused for their shape, in the order of the request. */
export function mergeResults<T extends { readonly ok: true }>(
  batch: Batch<unknown>,
  results: readonly (T | Refused)[],
): readonly (T | Refused)[] {
  const all = Array.from<T | Refused>({ length: batch.total })
  for (const { index, error } of batch.refused) all[index] = { ok: false, error }
  results.forEach((result, index) => {
    const place = batch.positions?.[index] ?? index
    all[place] = result.ok ? result : { ok: false, error: inRequest(result.error, place) }
  })
  let refused = 0
  return all.map((result) => (result.ok || ++refused <= ERRORS_IN_FULL ? result : briefly(result)))
}

/** A refusal of which only that is told by which a client goes on. */
function briefly({ error: { code, details } }: Refused): Refused {
  return { ok: false, error: errorBody(code, 'see the first errors', undefined, details) }
}

/** Errors of the core and of shapes, all with paths of the request; of very many the first, and how many more there are. */
export function mergeErrors(
  batch: Batch<InstanceRef>,
  errors: readonly ErrorBody[] = [],
): readonly ErrorBody[] | undefined {
  const count = batch.refused.length + errors.length
  if (count === 0) return undefined
  const all = batch.refused.slice(0, ERRORS_IN_FULL).map(({ error }) => error)
  for (const error of errors.slice(0, ERRORS_IN_FULL - all.length)) all.push(relocate(error, batch.positions))
  const [first] = all
  if (first !== undefined && count > all.length)
    all.push(errorBody(first.code, `${count - all.length} more were refused`))
  return all
}

/** The core names the field within the item; callers see the whole path. */
function inRequest(error: ErrorBody, index: number): ErrorBody {
  const { field } = error
  if (field === undefined) return error
  const inItem = /^instances\[\d+\](.*)$/s.exec(field)
  return {
    ...error,
    field: inItem === null ? `instances[${index}].${field}` : `instances[${index}]${inItem[1]}`,
  }
}

/** The core counts the items it was given; refused ones shifted them. */
function relocate(error: ErrorBody, positions: readonly number[] | undefined): ErrorBody {
  const match = positions === undefined ? null : /^instances\[(\d+)\](.*)$/.exec(error.field ?? '')
  if (match === null) return error
  return { ...error, field: `instances[${positions?.[Number(match[1])] ?? match[1]}]${match[2]}` }
}

/** The first error of a batch in which nothing succeeded. */
export function commonFailure(results: readonly ({ readonly ok: true } | Refused)[]): ErrorBody | undefined {
  let first: ErrorBody | undefined
  for (const result of results) {
    if (result.ok) return undefined
    first ??= result.error
  }
  return first
}

/** The view that is named, or an error that names the field: of item `index`, where there are several. */
export function toViewName(item: Omit<WatchItem, 'sign'>, namespace: string, index?: number): ViewName {
  const name: Writable<ViewName> = {
    namespace: checkName(item.namespace ?? namespace, 'namespace', index),
    service: checkName(item.service, 'service', index),
  }
  if (item.group !== undefined) name.group = checkName(item.group, 'group', index)
  return name
}

/** Views with the signs of the lists the caller holds, where it holds one. */
export function toWatchCommands(items: readonly WatchItem[], namespace: string): readonly WatchCommand[] {
  return items.map((item, index) => {
    const command: Writable<WatchCommand> = toViewName(item, namespace, index)
    if (item.sign !== undefined) command.sign = checkSign(item.sign, 'sign', index)
    if (item.sums !== undefined) command.sums = checkSums(item.sums, index)
    return command
  })
}

/** Views with the signs of the lists the caller holds. */
export function toSignItems(
  items: SignsRequest['services'],
  namespace: string,
): readonly (ViewName & { readonly sign: string })[] {
  return items.map((item, index) => ({
    ...toViewName(item, namespace, index),
    sign: checkSign(item.sign, 'sign', index),
  }))
}

/** The text, if it is a sign; otherwise an error that names the field, of item `index` where there are several. */
export function checkSign(text: string, name: string, index?: number): string {
  if (isSign(text)) return text
  const field = fieldOf(name, index)
  throw new RegistryError('invalid_argument', `${field} must be a sign: 16 lower-case hex digits`, { field })
}

function checkSums(text: string, index: number): string {
  if (partsOf(text) !== undefined) return text
  const field = fieldOf('sums', index)
  const message = `${field} must be the sums of 1 to ${PARTS_MAX} parts: four lower-case hex digits for each`
  throw new RegistryError('invalid_argument', message, { field })
}

/** The text, if it is a name; otherwise an error that names the field, of item `index` where there are several. */
export function checkName(text: string, name: string, index?: number): string {
  if (NAME_PATTERN.test(text)) return text
  const field = fieldOf(name, index)
  throw new RegistryError('invalid_argument', `${field} must be ${NAME_WORDS}`, { field })
}

// Only for faults: good items should not pay for paths that are never read.
function fieldOf(name: string, index: number | undefined): string {
  return index === undefined ? name : `services[${index}].${name}`
}
