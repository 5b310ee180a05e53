/** What HTTP requests and stream messages have in common: a body in, one call of the registry, a response out. */
import type { Origin, RegistryApi, WriteOptions } from '@rollcall/core'
import {
  DEFAULTS,
  RegistryError,
  type DeregisterResponse,
  type ErrorBody,
  type HeartbeatResponse,
  type InstanceRef,
  type RegisterResponse,
  type RegisterResult,
} from '@rollcall/wire'
import { readDeregister, readHeartbeat, readRegister, type Batch } from '@rollcall/wire/schemas'
import { commonFailure, mergeErrors, mergeResults, toRef, toRegisterCommand } from '../mapping.js'

/** A response, with the first error when nothing in the batch succeeded. */
export interface Outcome<T> {
  readonly response: T
  readonly failure: ErrorBody | undefined
}

/** What surrounds an operation. */
export interface Surroundings {
  readonly registry: RegistryApi
  readonly origin: Origin
  /** Namespace of items that name none, in requests that name none. */
  readonly namespace?: string | undefined
  readonly itemsMax: number
  readonly write?: WriteOptions | undefined
}

const NOTHING: Readonly<Record<string, never>> = {}

function warned(warnings: readonly string[] | undefined): { readonly warnings?: readonly string[] } {
  return warnings === undefined ? NOTHING : { warnings }
}

/** Registers a batch. */
export async function register(around: Surroundings, body: unknown): Promise<Outcome<RegisterResponse>> {
  const batch = readRegister(body, around.itemsMax)
  const namespace = batch.namespace ?? around.namespace ?? DEFAULTS.namespace
  const commands = batch.items.map((item) => toRegisterCommand(item, namespace))
  const accepted: readonly RegisterResult[] =
    commands.length === 0 ? [] : await around.registry.register(commands, around.origin, around.write)
  const results = mergeResults(batch, accepted)
  return { response: { results, ...warned(batch.warnings) }, failure: commonFailure(results) }
}

/** The answer to nearly every beat; always this very object, so that an adapter need not write it out each time. */
export const ALL_HEARD: HeartbeatResponse = { unknown: [], deregistered: [], superseded: [] }

/** Takes a batch of beats. */
export function heartbeat(around: Surroundings, body: unknown): Outcome<HeartbeatResponse> {
  const batch = readHeartbeat(body, around.itemsMax)
  const { unknown, deregistered, superseded, errors } = around.registry.heartbeat(
    refsOf(around, batch),
    around.origin,
  )
  const all = mergeErrors(batch, errors)
  const lost = unknown.length + deregistered.length + superseded.length
  if (lost === 0 && all === undefined && batch.warnings === undefined)
    return { response: ALL_HEARD, failure: undefined }
  const response = { unknown, deregistered, superseded, ...withErrors(all), ...warned(batch.warnings) }
  return { response, failure: failureOf(batch, all) }
}

/** Passes on whom consumers could not reach. Malformed items are left out: nobody waits for an answer. */
export function hint(around: Surroundings, body: unknown): void {
  const batch = readHeartbeat(body, around.itemsMax)
  around.registry.hint(refsOf(around, batch), around.origin)
}

/** Takes instances out, by name or by host. */
export async function deregister(around: Surroundings, body: unknown): Promise<Outcome<DeregisterResponse>> {
  const { registry, origin, write } = around
  const read = readDeregister(body, around.itemsMax)
  if (read.kind === 'host') {
    const namespace = read.namespace ?? around.namespace ?? DEFAULTS.namespace
    const response = await registry.deregisterHost(
      { namespace, host: read.host, confirm: read.confirm },
      origin,
      write,
    )
    return { response: { ...response, ...warned(read.warnings) }, failure: undefined }
  }
  const { batch } = read
  const answer = await registry.deregister(refsOf(around, batch), origin, write)
  const all = mergeErrors(batch, answer.errors)
  return {
    response: { ...answer, ...withErrors(all), ...warned(batch.warnings) },
    failure: failureOf(batch, all),
  }
}

function refsOf(around: Surroundings, batch: Batch<InstanceRef>): ReturnType<typeof toRef>[] {
  const namespace = batch.namespace ?? around.namespace ?? DEFAULTS.namespace
  return batch.items.map((item) => toRef(item, namespace))
}

function withErrors(errors: readonly ErrorBody[] | undefined): { readonly errors?: readonly ErrorBody[] } {
  return errors === undefined ? NOTHING : { errors }
}

function failureOf(
  batch: Batch<InstanceRef>,
  errors: readonly ErrorBody[] | undefined,
): ErrorBody | undefined {
  return batch.total > 0 && errors?.length === batch.total ? errors[0] : undefined
}

/** Lookups are answered only by a node that knows what it should know; one that is about to stop does, to its last moment. */
export function requireLoaded(registry: RegistryApi): void {
  const readiness = registry.readiness()
  if (!readiness.ready && readiness.reason === 'loading')
    throw new RegistryError('not_ready', 'the node is still loading')
}
