/**
 * Reading of request bodies and client messages. Faults of the request as a whole throw a RegistryError;
 * faults of one item of a batch are answered for that item and leave the others alone.
 */
import { z } from 'zod'
import { RegistryError, type ErrorBody } from '../errors.js'
import type {
  AckMessage,
  HelloMessage,
  LookupMessage,
  ServicesMessage,
  SettledMessage,
  WatchItem,
} from '../messages.js'
import type { InstanceRef, NamespaceSettings, Registration, ServiceSettings, SignsRequest } from '../types.js'
import { namespaceField, hostField, nameField } from './fields.js'
import { createJudge, demand, isJsonObject, toError, Warnings, type Judge } from './judging.js'
import {
  instanceRefSchema,
  namespaceSettingsSchema,
  registrationSchema,
  serviceSettingsSchema,
  signItemSchema,
  watchItemSchema,
} from './requests.js'

/** An item that was refused for its shape, with its place in the request. */
export interface RefusedItem {
  readonly index: number
  /** `field` is the whole path, such as `instances[3].port`. */
  readonly error: ErrorBody
}

/** A batch whose items were judged one by one. */
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

/** A deregistration names instances, or a host. */
export type DeregisterRead =
  | { readonly kind: 'instances'; readonly batch: Batch<InstanceRef> }
  | {
      readonly kind: 'host'
      readonly namespace: string | undefined
      readonly host: string
      readonly confirm: boolean
      readonly warnings: readonly string[] | undefined
    }

/** Something of the right shape, with warnings about what else was there. */
export interface Read<T> {
  readonly value: T
  readonly warnings: readonly string[] | undefined
}

// The stream sends the same bodies as messages; there these two are part of the envelope.
const ENVELOPE = ['type', 'req'] as const

const namespaceOnly = { namespace: namespaceField.exactOptional() }
const items = z.array(z.unknown())
const registration = createJudge(registrationSchema)
const instanceRef = createJudge(instanceRefSchema)
const signItem = createJudge(signItemSchema)
const watchItem = createJudge(watchItemSchema)
const serviceSettings = createJudge(serviceSettingsSchema)
const namespaceSettings = createJudge(namespaceSettingsSchema)

interface Frame {
  readonly namespace?: string
}
const instancesFrame: Judge<Frame & { readonly instances: readonly unknown[] }> = createJudge(
  z.object({ ...namespaceOnly, instances: items }),
  ENVELOPE,
)
const servicesFrame: Judge<Frame & { readonly services: readonly unknown[] }> = createJudge(
  z.object({ ...namespaceOnly, services: items }),
  ENVELOPE,
)
const hostFrame: Judge<Frame & { readonly host: string; readonly confirm?: boolean }> = createJudge(
  z.object({ ...namespaceOnly, host: hostField, confirm: z.boolean().exactOptional() }),
  ENVELOPE,
)
const hello: Judge<Omit<HelloMessage, 'type' | 'req'>> = createJudge(
  z.object({ ...namespaceOnly, client: z.string().exactOptional() }),
  ENVELOPE,
)
const lookup: Judge<Omit<LookupMessage, 'type' | 'req'>> = createJudge(
  z.object({ ...namespaceOnly, service: nameField, group: nameField.exactOptional() }),
  ENVELOPE,
)
const services: Judge<Omit<ServicesMessage, 'type' | 'req'>> = createJudge(
  z.object({
    ...namespaceOnly,
    prefix: z.string().exactOptional(),
    limit: z.int().exactOptional(),
    after: z.string().exactOptional(),
  }),
  ENVELOPE,
)
const since: Judge<Pick<SettledMessage, 'seq'>> = createJudge(z.object({ seq: z.int().exactOptional() }))
const ack: Judge<Pick<AckMessage, 'seq'>> = createJudge(z.object({ seq: z.int() }), ENVELOPE)

/** Reads a registration request. */
export function readRegister(body: unknown, itemsMax: number): Batch<Registration> {
  return readInstances(body, registration, itemsMax)
}

/** Reads a heartbeat request. */
export function readHeartbeat(body: unknown, itemsMax: number): Batch<InstanceRef> {
  return readInstances(body, instanceRef, itemsMax)
}

/** Reads a deregistration request. */
export function readDeregister(body: unknown, itemsMax: number): DeregisterRead {
  if (!isJsonObject(body) || body['host'] === undefined) {
    return { kind: 'instances', batch: readInstances(body, instanceRef, itemsMax) }
  }
  if (body['instances'] !== undefined) {
    throw new RegistryError('invalid_argument', 'give either instances or host', { field: 'host' })
  }
  const warnings = new Warnings()
  const { namespace, host, confirm } = demand(hostFrame, body, warnings)
  return { kind: 'host', namespace, host, confirm: confirm === true, warnings: warnings.list() }
}

/** Reads a comparison of signs. One malformed item refuses the request: its answer has no place for errors. */
export function readSigns(body: unknown, itemsMax: number): Read<SignsRequest> {
  return readServices(body, signItem, itemsMax)
}

/** Reads the items of a watch, unwatch or resync message. */
export function readWatch(
  body: unknown,
  itemsMax: number,
): Read<{ readonly namespace?: string; readonly services: readonly WatchItem[] }> {
  return readServices(body, watchItem, itemsMax)
}

/** Reads the question whether everybody has acknowledged; the items are those of a watch. */
export function readSettled(body: unknown, itemsMax: number): Omit<SettledMessage, 'type' | 'req'> {
  return { ...readServices(body, watchItem, itemsMax).value, ...readWhole(since, body).value }
}

/** Reads the declaration of a service. */
export function readServiceSettings(body: unknown): Read<ServiceSettings> {
  return readWhole(serviceSettings, body)
}

/** Reads the declaration of a namespace. */
export function readNamespaceSettings(body: unknown): Read<NamespaceSettings> {
  return readWhole(namespaceSettings, body)
}

/** Reads the first message of a stream. */
export function readHello(message: unknown): Omit<HelloMessage, 'type' | 'req'> {
  return readWhole(hello, message).value
}

/** Reads the request for one view. */
export function readLookup(message: unknown): Omit<LookupMessage, 'type' | 'req'> {
  return readWhole(lookup, message).value
}

/** Reads the request for the list of services. */
export function readServicesQuery(message: unknown): Omit<ServicesMessage, 'type' | 'req'> {
  return readWhole(services, message).value
}

/** Reads an acknowledgement. */
export function readAck(message: unknown): Pick<AckMessage, 'seq'> {
  return readWhole(ack, message).value
}

/** Reads a body that is judged as a whole. */
export function readWhole<T>(judge: Judge<T>, body: unknown): Read<T> {
  const warnings = new Warnings()
  const value = demand(judge, body, warnings)
  return { value, warnings: warnings.list() }
}

/** Reads instances by name, with a frame that says more than the namespace. */
export function readInstanceRefs<F extends Frame & { readonly instances: readonly unknown[] }>(
  body: unknown,
  frameJudge: Judge<F>,
  itemsMax: number,
): { readonly batch: Batch<InstanceRef>; readonly frame: Omit<F, 'instances' | 'namespace'> } {
  const warnings = new Warnings()
  const { instances, namespace, ...frame } = demand(frameJudge, body, warnings)
  return { batch: judgeItems(namespace, instances, instanceRef, itemsMax, warnings), frame }
}

function readInstances<T>(body: unknown, judge: Judge<T>, itemsMax: number): Batch<T> {
  const warnings = new Warnings()
  const { namespace, instances } = demand(instancesFrame, body, warnings)
  return judgeItems(namespace, instances, judge, itemsMax, warnings)
}

function judgeItems<T>(
  namespace: string | undefined,
  instances: readonly unknown[],
  judge: Judge<T>,
  itemsMax: number,
  warnings: Warnings,
): Batch<T> {
  checkSize(instances, 'instances', itemsMax)
  const good: T[] = []
  const refused: RefusedItem[] = []
  let positions: number[] | undefined
  for (let index = 0; index < instances.length; index++) {
    const judged = judge.judge(instances[index], 'instances[].', warnings)
    if (judged.ok) {
      good.push(judged.value)
      positions?.push(index)
    } else {
      // Up to the first refusal the place of an item is its place among the good ones.
      positions ??= [...good.keys()]
      refused.push({ index, error: within(judged.error, `instances[${index}]`) })
    }
  }
  return {
    namespace,
    items: good,
    positions,
    refused,
    total: instances.length,
    warnings: warnings.list(),
  }
}

function readServices<T>(
  body: unknown,
  judge: Judge<T>,
  itemsMax: number,
): Read<{ readonly namespace?: string; readonly services: readonly T[] }> {
  const warnings = new Warnings()
  const frame = demand(servicesFrame, body, warnings)
  checkSize(frame.services, 'services', itemsMax)
  const good = frame.services.map((item, index) => {
    const judged = judge.judge(item, 'services[].', warnings)
    if (!judged.ok) throw toError(within(judged.error, `services[${index}]`))
    return judged.value
  })
  const { namespace } = frame
  return {
    value: namespace === undefined ? { services: good } : { namespace, services: good },
    warnings: warnings.list(),
  }
}

function checkSize(list: readonly unknown[], field: string, itemsMax: number): void {
  if (list.length <= itemsMax) return
  throw new RegistryError('batch_too_large', `${field} has ${list.length} items, the limit is ${itemsMax}`, {
    field,
    details: { itemsMax, items: list.length },
  })
}

/** The error of an item as an error of the request. */
export function within(error: ErrorBody, place: string): ErrorBody {
  const { field } = error
  const path =
    field === undefined || field === '' ? place : `${place}${field.startsWith('[') ? '' : '.'}${field}`
  return { ...error, field: path }
}
