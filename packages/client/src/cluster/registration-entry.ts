/** One registration as one cluster has to be told it. */
import type { Intent, InstanceSpec, Registered } from '@rollcall/wire'
import type { RegistrationSpec, RegistrationState, Token } from '../machine/events.js'
import type { ClusterTurn } from './events.js'

/** What a provider wants the registry to hold. */
export interface Desired {
  readonly spec: RegistrationSpec
  readonly intent: Intent
}

/** One desired registration and how far it got. */
export interface RegistrationEntry {
  readonly handle: number
  desired: Desired
  /** What the registry holds, as far as is known: where a refused update falls back to. */
  accepted: Desired | undefined
  incarnation: number
  rev: number
  /** Highest rev sent on this connection; 0 = none. */
  sentRev: number
  /** A node may hold this incarnation: only a deregistration takes it back. */
  held: boolean
  state: RegistrationState
  /** Not to be sent before. */
  holdUntil: number | undefined
  /** Refusals in a row, of any kind. */
  setbacks: number
  updates: { readonly token: Token; readonly rev: number }[]
}

/** A register request under way: what was in it when it was sent. */
export interface Sent {
  readonly items: readonly {
    readonly entry: RegistrationEntry
    readonly incarnation: number
    readonly rev: number
    readonly desired: Desired
  }[]
  readonly deadline: number
}

/** Whether a registry has acknowledged a registration in this state. */
export function isAccepted(state: RegistrationState): state is Intent {
  return state === 'starting' || state === 'up' || state === 'draining'
}

/** What a request has to remember of an entry. */
export function sentItem(entry: RegistrationEntry): Sent['items'][number] {
  return { entry, incarnation: entry.incarnation, rev: entry.rev, desired: entry.desired }
}

/** An entry by name, as messages carry it; the namespace of the client goes without saying. */
export function refOf(
  spec: Pick<RegistrationSpec, 'namespace' | 'service' | 'group' | 'id'>,
  namespace: string,
): { namespace?: string; service: string; group: string; id: string } {
  const { service, group, id } = spec
  return spec.namespace === namespace
    ? { service, group, id }
    : { namespace: spec.namespace, service, group, id }
}

/** An entry as `register` carries it. */
export function itemOf(entry: RegistrationEntry, defaultNamespace: string): InstanceSpec {
  const { namespace, ...spec } = entry.desired.spec
  const { incarnation, rev } = entry
  const { intent: state } = entry.desired
  return namespace === defaultNamespace
    ? { ...spec, state, incarnation, rev }
    : { namespace, ...spec, state, incarnation, rev }
}

/** Consumers see another state than was asked for, by an operator's word or because the instance is doubted. */
export function shownOtherwise(turn: ClusterTurn, { service, id, state, reason }: Registered): void {
  const fields = { service, id, state, ...(reason === undefined ? {} : { reason }) }
  turn.emit({ type: 'log', level: 'warn', fields, message: 'registered, but shown in another state' })
}
