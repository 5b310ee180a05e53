/** Runs the machine against sockets, timers and files. */
import type { Instance, RegistryError } from '@rollcall/wire'
import { defined } from '@rollcall/wire'
import type { ClientEffect, ClientEvent, Token } from '../machine/events.js'
import type { ClientMachine } from '../clusters/machine.js'
import type { MachineStatus, Origin, WatchStatus } from '../machine/status.js'
import type { SnapshotStore } from './snapshots.js'
import type { NodeTls } from '../calls/tls.js'
import type { Connection, ConnectionListener, Transport } from './transport.js'
import type { Clock, Logger } from '../machine/ports.js'
import { abortedError } from '../machine/errors.js'
import { onAbort } from '../calls/signals.js'

/** What the driver works with. */
export interface DriverDeps {
  readonly machine: ClientMachine
  readonly transport: Transport
  /** For connections to nodes, by cluster. Default: certificates that Node trusts. */
  readonly tls?: ReadonlyMap<string, NodeTls>
  readonly clock: Clock
  readonly logger: Logger
  /** By cluster; none where no snapshots are kept. */
  readonly snapshots: ReadonlyMap<string, SnapshotStore>
}

/** Receives what concerns lists and registrations. */
export interface DriverListener {
  list(effect: Extract<ClientEffect, { readonly type: 'list' }>): void
  candidates(effect: Extract<ClientEffect, { readonly type: 'candidates' }>): void
  registration(effect: Extract<ClientEffect, { readonly type: 'registration' }>): void
}

/** Runs a machine against sockets, timers and files. */
export interface Driver {
  /** Queues an event; all of one turn of the event loop enter the machine together. */
  dispatch(event: ClientEvent): void
  /** Dispatches a call and settles with it. On abort it rejects at once and dispatches `undo`. */
  call(build: (token: Token) => ClientEvent, options?: SettleOptions): Promise<void>
  status(): MachineStatus
  /** Of one watched list, by key. */
  serviceStatus(key: string): WatchStatus | undefined
  /** Where an instance of a list is known from. */
  origins(key: string, instance: Instance): readonly Origin[]
  /** Local address of the latest connection to a node of that cluster, once there was one. */
  localAddress(cluster: string): string | undefined
}

/** How a call ends early. */
export interface SettleOptions {
  readonly signal?: AbortSignal | undefined
  readonly undo?: (token: Token) => ClientEvent
}

/** Creates a driver; the machine starts with the first event. */
export function createDriver(deps: DriverDeps, listener: DriverListener): Driver {
  return new MachineDriver(deps, listener)
}

class MachineDriver implements Driver {
  private readonly deps: DriverDeps
  private readonly listener: DriverListener
  private readonly connections = new Map<number, Connection>()
  private readonly calls = new Map<Token, { resolve(): void; reject(error: RegistryError): void }>()
  private queue: ClientEvent[] = []
  private scheduled = false
  private nextToken = 1
  private cancelTimer: (() => void) | undefined
  /** By cluster. */
  private readonly addresses = new Map<string, string>()

  constructor(deps: DriverDeps, listener: DriverListener) {
    this.deps = deps
    this.listener = listener
  }

  dispatch(event: ClientEvent): void {
    this.queue.push(event)
    if (this.scheduled) return
    this.scheduled = true
    this.deps.clock.soon(() => this.drain())
  }

  call(build: (token: Token) => ClientEvent, { signal, undo }: SettleOptions = {}): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    const token = this.nextToken++
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.calls.delete(token)
        if (undo !== undefined) this.dispatch(undo(token))
        if (signal !== undefined) reject(abortedError(signal))
      }
      const letGo = onAbort(signal, abort)
      this.calls.set(token, {
        resolve: () => {
          letGo()
          resolve()
        },
        reject: (error) => {
          letGo()
          reject(error)
        },
      })
      this.dispatch(build(token))
    })
  }

  status(): MachineStatus {
    const { machine, clock } = this.deps
    return machine.status(clock.now(), clock.wallNow())
  }

  serviceStatus(key: string): WatchStatus | undefined {
    return this.deps.machine.serviceStatus(this.deps.clock.now(), key)
  }

  origins(key: string, instance: Instance): readonly Origin[] {
    return this.deps.machine.origins(this.deps.clock.now(), key, instance)
  }

  localAddress(cluster: string): string | undefined {
    return this.addresses.get(cluster)
  }

  private drain(): void {
    const events = this.queue
    this.queue = []
    this.scheduled = false
    const { machine, clock } = this.deps
    for (const effect of machine.step(clock.now(), events)) this.carryOut(effect)
    this.arm()
  }

  private arm(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
    const { machine, clock } = this.deps
    const deadline = machine.deadline()
    if (deadline === undefined) return
    this.cancelTimer = clock.setTimer(Math.max(0, deadline - clock.now()), () =>
      this.dispatch({ type: 'tick' }),
    )
  }

  private carryOut(effect: ClientEffect): void {
    switch (effect.type) {
      case 'dial':
        return this.dial(effect)
      case 'send':
        return this.connections.get(effect.connection)?.send(effect.message)
      case 'drop':
        this.connections.get(effect.connection)?.close(effect.code, effect.reason)
        this.connections.delete(effect.connection)
        return
      case 'resolve':
      case 'reject':
        return this.settle(effect)
      case 'log':
        return this.deps.logger[effect.level](effect.fields, effect.message)
      case 'loadSnapshot':
      case 'saveSnapshot':
        return this.snapshot(effect)
      case 'list':
        return this.listener.list(effect)
      case 'candidates':
        return this.listener.candidates(effect)
      case 'registration':
        return this.listener.registration(effect)
    }
  }

  private settle(effect: Extract<ClientEffect, { readonly type: 'resolve' | 'reject' }>): void {
    const call = this.calls.get(effect.token)
    this.calls.delete(effect.token)
    if (effect.type === 'resolve') call?.resolve()
    else call?.reject(effect.error)
  }

  private dial({ cluster, connection: id, url }: Extract<ClientEffect, { readonly type: 'dial' }>): void {
    const listener: ConnectionListener = {
      opened: (localAddress) => {
        if (localAddress !== undefined) this.addresses.set(cluster, localAddress)
        this.dispatch({ type: 'opened', connection: id })
      },
      message: (message) => this.dispatch({ type: 'message', connection: id, message }),
      closed: (code, reason, refusal) => {
        this.connections.delete(id)
        this.dispatch({ type: 'closed', connection: id, reason, ...defined({ code, refusal }) })
      },
    }
    const connection = this.deps.transport.dial(url, listener, this.deps.tls?.get(cluster))
    this.connections.set(id, connection)
  }

  private snapshot(effect: Extract<ClientEffect, { readonly type: 'loadSnapshot' | 'saveSnapshot' }>): void {
    const { cluster, key, name } = effect
    const snapshots = this.deps.snapshots.get(cluster)
    if (effect.type === 'saveSnapshot') {
      void snapshots?.save(name, effect.stored)
      return
    }
    const loading = snapshots?.load(name) ?? Promise.resolve(undefined)
    void loading.then((stored) =>
      this.dispatch({ type: 'snapshot', cluster, key, ...(stored === undefined ? {} : { stored }) }),
    )
  }
}
