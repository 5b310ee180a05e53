/** Batches of instances, the same over HTTP and stream: a body in, one call of the registry, a response out. */
import type { Answers, Caller, Queries, RegisterCommand, Registry } from '@rollcall/core'
import {
  ALL_NAMESPACES,
  defined,
  DEFAULTS,
  type DeregisterResponse,
  type Durability,
  type ErrorBody,
  errorBody,
  type HeartbeatResponse,
  type InstanceRef,
  type RegisterResponse,
} from '@rollcall/wire'
import { readDeregister, readHeartbeat, readRegister, type Batch } from '@rollcall/wire/schemas'
import { commonFailure, durable, mergeErrors, mergeResults, toRefs, toRegisterCommand } from '../mapping.js'

/** A response, with the first error when nothing in the batch succeeded. */
export interface Outcome<T> {
  readonly response: T
  readonly failure: ErrorBody | undefined
}

/** What a batch comes with. */
export interface BatchContext {
  readonly registry: Registry
  readonly caller: Caller
  /** Namespace of items that name none, in requests that name none. */
  readonly namespace?: string | undefined
  readonly itemsMax: number
  /** How durable a write has to be. */
  readonly need?: Durability | undefined
}

const NOTHING: Readonly<Record<string, never>> = {}

function warned(warnings: readonly string[] | undefined): { readonly warnings?: readonly string[] } {
  return warnings === undefined ? NOTHING : { warnings }
}

/** Registers a batch. */
export async function register(context: BatchContext, body: unknown): Promise<Outcome<RegisterResponse>> {
  const { registry, caller, itemsMax, need } = context
  const batch = readRegister(body, itemsMax)
  const namespace = batch.namespace ?? context.namespace ?? DEFAULTS.namespace
  const items = batch.items.map((item) => toRegisterCommand(item, namespace))
  const { answer, durability } = await registry.execute({ kind: 'register', items }, caller, need)
  const results = mergeResults(batch, durable(answer, durability))
  const mute = mutedIn(registry.read(caller), items, answer, caller)
  const warnings = mute.length === 0 ? batch.warnings : [...(batch.warnings ?? []), ...mute]
  return { response: { results, ...warned(warnings) }, failure: commonFailure(results) }
}

/** Warnings of one kind in an answer. */
const WARNINGS_MAX = 20

/** Says of which instances nothing will be heard: they live by probes alone, and this node may not make them. */
function mutedIn(
  read: Pick<Queries, 'mayProbe'>,
  items: readonly RegisterCommand[],
  answer: Answers['register'],
  { peer }: Caller,
): readonly string[] {
  const warnings: string[] = []
  for (let index = 0; index < items.length; index++) {
    const { liveness, host, service, id, leaseMs } = items[index] as RegisterCommand
    if (liveness !== 'probe' || answer[index]?.ok !== true || read.mayProbe(host, peer)) continue
    if (warnings.length === WARNINGS_MAX)
      return [...warnings, 'more of the instances may not be probed from here']
    warnings.push(
      `${id} of ${service} will be suspect in ${leaseMs / 2_000} s: its liveness is probe, and this node may not probe ${host}, which is neither the address of the caller nor in its probeNetworks`,
    )
  }
  return warnings
}

/** The answer to nearly every beat; always this very object, so that an adapter need not write it out each time. */
export const ALL_HEARD: HeartbeatResponse = { unknown: [], deregistered: [], superseded: [] }

/** Takes a batch of beats. */
export function heartbeat(context: BatchContext, body: unknown): Outcome<HeartbeatResponse> {
  const batch = readHeartbeat(body, context.itemsMax)
  const { unknown, deregistered, superseded, errors } = context.registry.heard(
    refsOf(context, batch),
    context.caller,
  )
  const all = mergeErrors(batch, errors)
  const lost = unknown.length + deregistered.length + superseded.length
  if (lost === 0 && all === undefined && batch.warnings === undefined)
    return { response: ALL_HEARD, failure: undefined }
  const response = { unknown, deregistered, superseded, ...withErrors(all), ...warned(batch.warnings) }
  return { response, failure: failureOf(batch, errors, all) }
}

/** Passes on which instances consumers could not reach. Malformed items are left out: a hint has no answer. */
export function hint(context: BatchContext, body: unknown): void {
  const batch = readHeartbeat(body, context.itemsMax)
  context.registry.report({ kind: 'unreachable', refs: refsOf(context, batch) }, context.caller)
}

/** Takes instances out, by name or by host. */
export async function deregister(context: BatchContext, body: unknown): Promise<Outcome<DeregisterResponse>> {
  const { registry, caller, itemsMax, need } = context
  const read = readDeregister(body, itemsMax)
  if (read.kind === 'host') {
    const { host, confirm, signature, warnings } = read
    const namespace = read.namespace ?? context.namespace ?? DEFAULTS.namespace
    const removal = { kind: 'deregisterHost', namespace, host, confirm, ...signature } as const
    const { answer, durability } = await registry.execute(removal, caller, need)
    const failure = answer.removed.length > 0 ? undefined : nothingOn(host, namespace)
    return { response: { ...answer, durability, ...warned(warnings) }, failure }
  }
  const { batch, signature } = read
  const refs = refsOf(context, batch)
  const removal = { kind: 'deregister', refs, ...signature } as const
  const { answer, durability } = await registry.execute(removal, caller, need)
  const all = mergeErrors(batch, answer.errors)
  return {
    response: { ...answer, durability, ...withErrors(all), ...warned(batch.warnings) },
    failure:
      answer.removed.length > 0
        ? undefined
        : (failureOf(batch, answer.errors, all) ?? untaken(registry.read(caller), answer, all)),
  }
}

function nothingOn(host: string, namespace: string): ErrorBody {
  const where = namespace === ALL_NAMESPACES ? 'any namespace' : `namespace ${namespace}`
  return errorBody('unknown_instance', `nothing is registered on ${host} in ${where}`, 'host')
}

/** Why a call took nothing out; what goes on being listed in spite of it comes first. */
function untaken(
  read: Pick<Queries, 'explain'>,
  { superseded, unknown }: Pick<DeregisterResponse, 'superseded' | 'unknown'>,
  errors: readonly ErrorBody[] = [],
): ErrorBody | undefined {
  const [held] = superseded
  if (held !== undefined) {
    const { service, group, id, incarnation } = held
    const how =
      incarnation === undefined ? 'without its number' : `under a number that is no longer ${incarnation}`
    return errorBody(
      'superseded',
      `nothing was removed: ${id} of ${service}, group ${group}, cannot be taken out ${how}; name its incarnation, or sign the call (by)`,
      undefined,
      defined({ incarnation: read.explain(held)?.incarnation }),
    )
  }
  if (errors[0] !== undefined) return errors[0]
  const [gone] = unknown
  if (gone === undefined) return undefined
  const { service, group, id } = gone
  return errorBody(
    'unknown_instance',
    `nothing was removed: ${service} has no instance ${id} in group ${group}`,
  )
}

function refsOf({ namespace }: BatchContext, batch: Batch<InstanceRef>): ReturnType<typeof toRefs> {
  return toRefs(batch, namespace ?? DEFAULTS.namespace)
}

function withErrors(errors: readonly ErrorBody[] | undefined): { readonly errors?: readonly ErrorBody[] } {
  return errors === undefined ? NOTHING : { errors }
}

/** The first error where no item of a batch was taken. */
function failureOf(
  batch: Batch<InstanceRef>,
  refused: readonly ErrorBody[] = [],
  told: readonly ErrorBody[] | undefined,
): ErrorBody | undefined {
  return batch.total > 0 && batch.refused.length + refused.length === batch.total ? told?.[0] : undefined
}
