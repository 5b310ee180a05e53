/**
 * Reading of request bodies and client messages. Faults of the request as a whole throw a RegistryError; faults of
 * one item of a batch are answered for that item and leave the others alone.
 */
import { RegistryError, type ErrorBody } from '../../errors.js'
import { NAME_PATTERN, NAME_WORDS } from '../../limits.js'
import { demand, readerOf, toError, Warnings, type Reader } from '../../shape/reader.js'
import { any, fieldsOf, list, type AnyShape, type Shape } from '../../shape/shape.js'

/** An item that was refused for its shape, with its place in the request. */
export interface RefusedItem {
  readonly index: number
  /** `field` is the whole path, such as `instances[3].port`. */
  readonly error: ErrorBody
}

/** A batch whose items were read one by one. */
export interface Batch<T> {
  readonly namespace: string | undefined
  /** Items of the right shape, in the order of the request. */
  readonly items: readonly T[]
  /** Place of each item in the request, or undefined when none was refused. */
  readonly positions: readonly number[] | undefined
  readonly refused: readonly RefusedItem[]
  /** Number of items in the request. */
  readonly total: number
  readonly warnings: readonly string[] | undefined
}

/** A batch, and what the request says about all of its items. */
export interface FramedBatch<Request extends Batched<'instances'>> {
  readonly batch: Batch<Request['instances'][number]>
  readonly frame: Omit<Request, 'instances' | 'namespace'>
}

/** Something of the right shape, with warnings about what else was there. */
export interface Read<T> {
  readonly value: T
  readonly warnings: readonly string[] | undefined
}

/** A request that is a list of items, in a namespace that they need not repeat. */
type Batched<Name extends string> = { readonly namespace?: string } & {
  readonly [Each in Name]: readonly unknown[]
}

// The stream sends the same bodies as messages; there these two are part of the envelope.
const ENVELOPE = ['type', 'req'] as const

/** Builds the reader of a body that is right or wrong as a whole. */
export function wholeReader<T>(shape: Shape<T>): (body: unknown) => Read<T> {
  const reader = readerOf(shape, ENVELOPE)
  return (body) => {
    const warnings = new Warnings()
    const value = demand(reader, body, warnings)
    return { value, warnings: warnings.list() }
  }
}

interface Parts<Request, Name extends keyof Request> {
  /** The request with its items as they came. */
  readonly frame: Reader<Omit<Request, Name> & { readonly [Each in Name]: readonly unknown[] }>
  readonly item: Reader<Request[Name] extends readonly (infer Item)[] ? Item : never>
}

/** The two readers of a batch, from the one description of its request. */
function partsOf<Request, Name extends keyof Request & string>(
  shape: Shape<Request>,
  name: Name,
): Parts<Request, Name> {
  const fields = fieldsOf(shape)
  const field = fields[name]
  const listed: AnyShape | undefined = field?.kind === 'optional' ? field.shape : field
  if (listed?.kind !== 'list') throw new Error(`${name} is not a list`)
  const framed: AnyShape = { kind: 'object', fields: { ...fields, [name]: list(any) }, notes: {} }
  return { frame: readerOf(framed as Shape<never>, ENVELOPE), item: readerOf(listed.item as Shape<never>) }
}

/** Builds the reader of a batch of instances, each of which is right or wrong by itself. */
export function batchReader<Request extends Batched<'instances'>>(
  shape: Shape<Request>,
): (body: unknown, itemsMax: number) => FramedBatch<Request> {
  const { frame, item } = partsOf(shape, 'instances')
  return (body, itemsMax) => {
    const warnings = new Warnings()
    const { instances, namespace, ...rest } = demand(frame, body, warnings) as Batched<'instances'>
    checkNamespace(namespace)
    const batch = readItems(
      namespace,
      instances,
      item as Reader<Request['instances'][number]>,
      itemsMax,
      warnings,
    )
    return { batch, frame: rest as FramedBatch<Request>['frame'] }
  }
}

function readItems<T>(
  namespace: string | undefined,
  instances: readonly unknown[],
  reader: Reader<T>,
  itemsMax: number,
  warnings: Warnings,
): Batch<T> {
  checkSize(instances, 'instances', itemsMax)
  const items: T[] = []
  const refused: RefusedItem[] = []
  let positions: number[] | undefined
  for (let index = 0; index < instances.length; index++) {
    const reading = reader.read(instances[index], 'instances[].', warnings)
    if (reading.ok) {
      items.push(reading.value)
      positions?.push(index)
    } else {
      // Up to the first refusal the place of an item is its place among the good ones.
      positions ??= [...items.keys()]
      refused.push({ index, error: within(reading.error, `instances[${index}]`) })
    }
  }
  return { namespace, items, positions, refused, total: instances.length, warnings: warnings.list() }
}

/** Builds the reader of a list of views. One malformed item refuses the request: its answer has no place for errors. */
export function viewsReader<Request extends Batched<'services'>>(
  shape: Shape<Request>,
): (body: unknown, itemsMax: number) => Read<Request> {
  const { frame, item } = partsOf(shape, 'services')
  return (body, itemsMax) => {
    const warnings = new Warnings()
    const request = demand(frame, body, warnings) as Batched<'services'>
    checkNamespace(request.namespace)
    checkSize(request.services, 'services', itemsMax)
    const services = request.services.map((each, index) => {
      const reading = item.read(each, 'services[].', warnings)
      if (!reading.ok) throw toError(within(reading.error, `services[${index}]`))
      return reading.value
    })
    return { value: { ...request, services } as unknown as Request, warnings: warnings.list() }
  }
}

/** A default that is no name is wrong also where every item has a namespace of its own. */
function checkNamespace(namespace: string | undefined): void {
  if (namespace === undefined || NAME_PATTERN.test(namespace)) return
  throw new RegistryError('invalid_argument', `namespace must be ${NAME_WORDS}`, { field: 'namespace' })
}

function checkSize(items: readonly unknown[], field: string, itemsMax: number): void {
  if (items.length <= itemsMax) return
  throw new RegistryError('batch_too_large', `${field} has ${items.length} items, the limit is ${itemsMax}`, {
    field,
    details: { itemsMax, items: items.length },
  })
}

/** The error of an item as an error of the request. */
function within(error: ErrorBody, place: string): ErrorBody {
  const { field } = error
  const path = field === undefined ? place : `${place}${field.startsWith('[') ? '' : '.'}${field}`
  return { ...error, field: path }
}
