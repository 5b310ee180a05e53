import type { Intent, RegistryError } from '@rollcall/wire'
import type { Driver } from './shell/driver.js'
import type {
  ClientEffect,
  RegistrationPatch,
  RegistrationSpec,
  RegistrationState,
} from './machine/events.js'
import type { Logger } from './machine/ports.js'

/**
 * A change in the life of a registration. All but `changed` are somebody else's doing and say why in `error`;
 * none ends the registration, which goes on being tried.
 * changed: another state or incarnation in the ordinary course of things.
 * deregistered: somebody took it out of the registry; registered anew after a minute.
 * superseded: another process took over the id with a higher incarnation; asked for again every 30 s.
 * conflict: a live process holds the id; asked for again every 30 s.
 * refused: the registry does not take it at present; asked for again every 30 s.
 */
export type RegistrationEvent =
  | {
      readonly type: 'changed'
      /** Where it happened; the state and the incarnation are those there. */
      readonly cluster: string
      readonly state: RegistrationState
      readonly incarnation: number
    }
  | {
      readonly type: 'deregistered' | 'superseded' | 'conflict' | 'refused'
      readonly cluster: string
      readonly state: RegistrationState
      /** The incarnation it happened to. */
      readonly incarnation: number
      readonly error: RegistryError
    }

/** The event of what the machine says. */
export function registrationEvent(
  effect: Omit<Extract<ClientEffect, { readonly type: 'registration' }>, 'type' | 'handle'>,
): RegistrationEvent {
  const { cluster, state, incarnation, error } = effect
  return error === undefined
    ? { type: 'changed', cluster, state, incarnation }
    : { type: troubleOf(state, error), cluster, state, incarnation, error }
}

/** How a registration stands in one cluster. */
export interface ClusterRegistration {
  readonly cluster: string
  readonly state: RegistrationState
  readonly incarnation: number
  /** Why it is not as it was asked for. */
  readonly error?: RegistryError
}

/** What stands for the whole where clusters differ: an acknowledged state, then what says most about why there is none. */
const ORDER: readonly RegistrationState[] = [
  'up',
  'draining',
  'starting',
  'conflict',
  'refused',
  'removed',
  'pending',
  'deregistered',
]

function troubleOf(
  state: RegistrationState,
  error: RegistryError,
): Exclude<RegistrationEvent['type'], 'changed'> {
  if (state === 'removed') return 'deregistered'
  if (state !== 'conflict') return 'refused'
  return error.code === 'superseded' ? 'superseded' : 'conflict'
}

/** A registration of this process. It is kept up until `deregister()` or `close()`, through every outage. */
export interface Registration {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly host: string
  readonly port: number
  /** Number of this registration intent; it rises when the registration has to be made anew. Of several clusters the highest. */
  readonly incarnation: number
  /** Of several clusters that of one that has acknowledged it, if any. */
  readonly state: RegistrationState
  /** How it stands in each of its clusters. */
  readonly clusters: readonly ClusterRegistration[]
  /**
   * Changes what is registered; resolves when a registry has it (with none in reach it waits: give a signal).
   * A refused change rejects and what was registered before stays. Of several clusters the first decides, and
   * those out of reach follow when they are back.
   */
  update(patch: RegistrationPatch, options?: { readonly signal?: AbortSignal }): Promise<void>
  setState(state: Intent, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Asks consumers to choose others, without leaving: `setState('draining')`. */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Takes it back for good, in all clusters at once; rejects with `timeout` after 5 s without an answer, and is still tried then. */
  deregister(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Calls `listener` at each change of state or incarnation, and with what others do to it; the result ends that. */
  onEvent(listener: (event: RegistrationEvent) => void): () => void
  /** `deregister()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What a registration handle works with. */
export interface RegistrationDeps {
  readonly driver: Driver
  readonly logger: Logger
}

/** The handle of a registration, with the inlet for what the machine has to say. */
export class RegistrationHandle implements Registration {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly host: string
  readonly port: number
  private readonly deps: RegistrationDeps
  private readonly handle: number
  private readonly listeners = new Set<(event: RegistrationEvent) => void>()
  private readonly byCluster: Map<string, ClusterRegistration>

  constructor(deps: RegistrationDeps, handle: number, spec: RegistrationSpec, clusters: readonly string[]) {
    this.deps = deps
    this.handle = handle
    this.namespace = spec.namespace
    this.service = spec.service
    this.group = spec.group
    this.id = spec.id
    this.host = spec.host
    this.port = spec.port
    this.byCluster = new Map(
      clusters.map((cluster) => [cluster, { cluster, state: 'pending' as const, incarnation: 0 }]),
    )
  }

  get incarnation(): number {
    return Math.max(...this.clusters.map(({ incarnation }) => incarnation))
  }

  get state(): RegistrationState {
    const states = this.clusters.map(({ state }) => state)
    return ORDER.find((state) => states.includes(state)) ?? 'pending'
  }

  get clusters(): readonly ClusterRegistration[] {
    return [...this.byCluster.values()]
  }

  update(patch: RegistrationPatch, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { handle } = this
    return this.deps.driver.call((token) => ({ type: 'update', token, handle, patch }), { signal })
  }

  setState(state: Intent, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { handle } = this
    return this.deps.driver.call((token) => ({ type: 'update', token, handle, patch: {}, intent: state }), {
      signal,
    })
  }

  drain(options?: { readonly signal?: AbortSignal }): Promise<void> {
    return this.setState('draining', options)
  }

  deregister({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.state === 'deregistered') return Promise.resolve()
    const { handle } = this
    return this.deps.driver.call((token) => ({ type: 'deregister', token, handles: [handle] }), { signal })
  }

  onEvent(listener: (event: RegistrationEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister()
  }

  /** What the machine says. */
  changed(event: RegistrationEvent): void {
    const { logger } = this.deps
    const { type, cluster, state, incarnation } = event
    const before = this.byCluster.get(cluster)
    // A new number for the same trouble has the same cause.
    const cause = event.type !== 'changed' ? event.error : before?.state === state ? before.error : undefined
    this.byCluster.set(cluster, {
      cluster,
      state,
      incarnation,
      ...(cause === undefined ? {} : { error: cause }),
    })
    const fields = { cluster, service: this.service, id: this.id, type, state, incarnation }
    if (event.type === 'changed') logger.info(fields, 'registration changed')
    else logger.warn({ ...fields, error: event.error.message }, 'registration in trouble')
    for (const listener of this.listeners) {
      try {
        listener(event)
      } catch (error) {
        logger.error({ error: String(error) }, 'a registration listener threw')
      }
    }
  }
}
