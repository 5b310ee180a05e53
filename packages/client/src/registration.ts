/** The handle of a registration. */
import type { Intent, RegistryError } from '@rollcall/wire'
import { checkKnown } from './known-options.js'
import { checkIntent, checkPatchTypes } from './option-types.js'
import type { Driver } from './shell/driver.js'
import type {
  ClientEffect,
  RegistrationPatch,
  RegistrationSpec,
  RegistrationState,
} from './machine/events.js'
import type { Logger } from './machine/ports.js'
import type { ClusterRegistration, Registration, RegistrationEvent } from './api.js'

/** The event of what the machine says. */
export function registrationEvent(
  effect: Omit<Extract<ClientEffect, { readonly type: 'registration' }>, 'type' | 'handle'>,
): RegistrationEvent {
  const { cluster, state, incarnation, error } = effect
  return error === undefined
    ? { type: 'changed', cluster, state, incarnation }
    : { type: troubleOf(state, error), cluster, state, incarnation, error }
}

/** What stands for the whole where clusters differ: an acknowledged state, then what says most about why there is none. */
const ORDER: readonly RegistrationState[] = [
  'up',
  'draining',
  'starting',
  'standby',
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

  async update(patch: RegistrationPatch, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkKnown(patch, 'update')
    checkPatchTypes(patch)
    const { handle } = this
    return this.deps.driver.call((token) => ({ type: 'update', token, handle, patch }), { signal })
  }

  async setState(state: Intent, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkIntent(state)
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
    // A function of its own, so that one listener may be added twice.
    const own = (event: RegistrationEvent): void => listener(event)
    this.listeners.add(own)
    return () => void this.listeners.delete(own)
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
