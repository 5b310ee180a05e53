import type { Intent, RegistryError } from '@rollcall/wire'
import type { Driver } from './driver.js'
import type { Logger } from './logger.js'
import type { RegistrationPatch, RegistrationSpec, RegistrationState } from './machine/events.js'

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
  | { readonly type: 'changed'; readonly state: RegistrationState; readonly incarnation: number }
  | {
      readonly type: 'deregistered' | 'superseded' | 'conflict' | 'refused'
      readonly state: RegistrationState
      /** The incarnation it happened to. */
      readonly incarnation: number
      readonly error: RegistryError
    }

/** The event of what the machine says. */
export function registrationEvent(
  state: RegistrationState,
  incarnation: number,
  error: RegistryError | undefined,
): RegistrationEvent {
  return error === undefined
    ? { type: 'changed', state, incarnation }
    : { type: troubleOf(state, error), state, incarnation, error }
}

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
  /** Number of this registration intent; it rises when the registration has to be made anew. */
  readonly incarnation: number
  readonly state: RegistrationState
  /**
   * Changes what is registered; resolves when a registry has it (with none in reach it waits: give a signal).
   * A refused change rejects and what was registered before stays.
   */
  update(patch: RegistrationPatch, options?: { readonly signal?: AbortSignal }): Promise<void>
  setState(state: Intent, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Asks consumers to choose others, without leaving: `setState('draining')`. */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Takes it back for good; rejects with `timeout` after 5 s without an answer, and is still tried then. */
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
  private last: RegistrationEvent = { type: 'changed', state: 'pending', incarnation: 0 }

  constructor(deps: RegistrationDeps, handle: number, spec: RegistrationSpec) {
    this.deps = deps
    this.handle = handle
    this.namespace = spec.namespace
    this.service = spec.service
    this.group = spec.group
    this.id = spec.id
    this.host = spec.host
    this.port = spec.port
  }

  get incarnation(): number {
    return this.last.incarnation
  }

  get state(): RegistrationState {
    return this.last.state
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
    this.last = event
    const { logger } = this.deps
    const { type, state, incarnation } = event
    const fields = { service: this.service, id: this.id, type, state, incarnation }
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
