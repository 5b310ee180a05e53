/** Readers of requests about instances. */
import { RegistryError } from '../../errors.js'
import type { RestoreRequest, Signature } from '../../operators.js'
import { isJsonObject } from '../../shape/predicate.js'
import { object, optional, type Shape } from '../../shape/shape.js'
import type { DeregisterRequest, HeartbeatRequest, InstanceRef, InstanceSpec } from '../../types.js'
import { namespaceField, signatureFields } from '../../shapes/fields.js'
import {
  deregisterRequestFields,
  heartbeatRequestFields,
  heartbeatRequestShape,
  registerRequestShape,
  restoreRequestShape,
} from '../../shapes/instances.js'
import { batchReader, wholeReader, type Batch, type Read } from './batch.js'

/** A deregistration names instances, or a host. */
export type DeregisterRead =
  | { readonly kind: 'instances'; readonly batch: Batch<InstanceRef>; readonly signature: Signature }
  | {
      readonly kind: 'host'
      readonly namespace: string | undefined
      readonly host: string
      readonly confirm: boolean
      readonly signature: Signature
      readonly warnings: readonly string[] | undefined
    }

const registrations = batchReader(registerRequestShape)
const beats = batchReader(heartbeatRequestShape)

type Removals = HeartbeatRequest & Signature

const removals = batchReader<Removals>(object<Removals>({ ...heartbeatRequestFields, ...signatureFields }))

type HostRequest = Required<Pick<DeregisterRequest, 'host'>> & Omit<DeregisterRequest, 'instances' | 'host'>

const { host, confirm } = deregisterRequestFields
const hostRequestShape: Shape<HostRequest> = object<HostRequest>({
  namespace: optional(namespaceField),
  host: host.shape,
  confirm,
  ...signatureFields,
})
const hostRequest = wholeReader(hostRequestShape)

/** Reads a registration request. */
export function readRegister(body: unknown, itemsMax: number): Batch<InstanceSpec> {
  return registrations(body, itemsMax).batch
}

/** Reads a heartbeat request. */
export function readHeartbeat(body: unknown, itemsMax: number): Batch<HeartbeatRequest['instances'][number]> {
  return beats(body, itemsMax).batch
}

/** Reads a deregistration request. */
export function readDeregister(body: unknown, itemsMax: number): DeregisterRead {
  // As everywhere, null is what was not set.
  const isSet = (name: 'host' | 'instances'): boolean => isJsonObject(body) && (body[name] ?? null) !== null
  if (!isSet('host')) {
    const { batch, frame } = removals(body, itemsMax)
    return { kind: 'instances', batch, signature: frame }
  }
  if (isSet('instances')) {
    throw new RegistryError('invalid_argument', 'give either instances or host', { field: 'host' })
  }
  const { value, warnings } = hostRequest(body)
  const { namespace, host: named, confirm: confirmed, ...signature } = value
  return { kind: 'host', namespace, host: named, confirm: confirmed === true, signature, warnings }
}

/** Reads what is to be brought back. */
export const readRestore: (body: unknown) => Read<RestoreRequest> = wholeReader(restoreRequestShape)
