import type { ClientMessage, Instance, ServerMessage } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { BatchLimits } from './batches.js'
import { earliest } from './deadlines.js'
import type { ClientEffect, ClientEvent, Token, Turn } from './events.js'
import type { LinkStatus } from './link.js'
import { Link } from './link.js'
import type { Outbox } from './outbox.js'
import { Registrations } from './registrations.js'
import type { MachineSettings } from './settings.js'
import { Settlement } from './settlement.js'
import type { MachineStatus, Origin, WatchStatus } from './status.js'
import { Watches } from './watches.js'

/** The whole client as a step function over messages and time. */
export interface ClientMachine {
  /** Takes events in at a moment (never earlier than the one before) and returns what is to be done, in order. */
  step(now: number, events: readonly ClientEvent[]): readonly ClientEffect[]
  /** When `step` next wants a `tick`; undefined when nothing is planned. Asked after each step. */
  deadline(): number | undefined
  status(now: number): MachineStatus
  /** Of one watched list, by key; undefined when it is not watched. */
  serviceStatus(now: number, key: string): WatchStatus | undefined
  /** Where an instance of a list is known from, first of all where it was taken from. */
  origins(now: number, key: string, instance: Instance): readonly Origin[]
}

/** A client of one cluster: by itself, or as one of several. */
export interface ClusterMachine extends ClientMachine {
  /** State of the connection. Cheap. */
  link(): LinkStatus
}

/** Creates the machine of one cluster; nothing happens before a `start` event. */
export function createClientMachine(settings: MachineSettings): ClusterMachine {
  const machine = new Machine(settings)
  return {
    step: (now, events) => machine.step(now, events),
    deadline: () => machine.deadline(),
    status: (now) => machine.status(now),
    serviceStatus: (now, key) => machine.serviceStatus(now, key),
    origins: (now, key, instance) => machine.origins(now, key, instance),
    link: () => machine.link.status,
  }
}

interface Closing {
  readonly token: Token
  readonly settlement: Settlement
  readonly deadline: number
  /** With so many failures in a row every node was tried in vain since the closing began. */
  readonly hopelessAt: number
  departed: boolean
}

class Machine implements Outbox {
  private readonly settings: MachineSettings
  readonly link: Link
  private readonly registrations: Registrations
  private readonly watches: Watches
  private nextReq = 1
  private closing: Closing | undefined
  private closed = false

  constructor(settings: MachineSettings) {
    this.settings = settings
    this.registrations = new Registrations(settings, this)
    this.watches = new Watches(settings, this)
    this.link = new Link(settings, {
      up: (turn) => this.watches.up(turn),
      down: () => {
        this.closing?.settlement.down()
        this.registrations.down()
        this.watches.down()
      },
    })
  }

  get usable(): boolean {
    return this.link.usable
  }

  get limits(): BatchLimits {
    return this.link.limits
  }

  send(turn: Turn, message: ClientMessage): void {
    this.link.send(turn, message)
  }

  request(turn: Turn, build: (req: number) => ClientMessage): number {
    const req = this.nextReq++
    this.link.send(turn, build(req))
    return req
  }

  step(now: number, events: readonly ClientEvent[]): readonly ClientEffect[] {
    const effects: ClientEffect[] = []
    const turn: Turn = { now, emit: (effect) => effects.push(effect) }
    for (const event of events) this.handle(turn, event)
    if (this.closed) return effects
    this.link.tick(turn)
    this.registrations.tick(turn)
    this.watches.tick(turn)
    if (this.link.usable && this.registrations.settled) this.link.retire(turn)
    this.tickClosing(turn)
    return effects
  }

  deadline(): number | undefined {
    if (this.closed) return undefined
    const { closing } = this
    const end = closing?.departed === true ? closing.deadline : closing?.settlement.deadline()
    return earliest(this.link.deadline(), this.registrations.deadline(), this.watches.deadline(), end)
  }

  status(now: number): MachineStatus {
    const connection = this.closed ? ({ state: 'closed' } as const) : this.link.status
    const { size: registrations, accepted } = this.registrations
    return {
      connection,
      clusters: [{ name: this.settings.cluster, connection, registrations, accepted }],
      services: this.watches.status(now),
      registrations,
    }
  }

  serviceStatus(now: number, key: string): WatchStatus | undefined {
    return this.watches.get(key)?.status(now)
  }

  origins(now: number, key: string, instance: Instance): readonly Origin[] {
    return this.watches.get(key)?.origins(now, instance) ?? []
  }

  private handle(turn: Turn, event: ClientEvent): void {
    if (this.closed || (this.closing !== undefined && 'token' in event)) return this.tooLate(turn, event)
    switch (event.type) {
      case 'start':
        return this.link.start(turn)
      case 'tick':
        return
      case 'opened':
        return this.link.opened(turn, event.connection)
      case 'closed':
        return this.link.closed(turn, event.connection, event.code, event.reason)
      case 'message':
        if (this.link.message(turn, event.connection, event.message)) this.receive(turn, event.message)
        return
      case 'register':
        return this.registrations.register(turn, event.token, event.items)
      case 'update':
        return this.registrations.update(turn, event.token, event.handle, event.patch, event.intent)
      case 'deregister':
        return this.registrations.deregister(turn, event.handles, event.token)
      case 'abandon':
        return this.registrations.abandon(turn, event.token)
      case 'close':
        return this.beginClosing(turn, event.token)
      default:
        return this.handleWatch(turn, event)
    }
  }

  private handleWatch(
    turn: Turn,
    event: Extract<
      ClientEvent,
      { readonly type: 'watch' | 'snapshot' | 'ready' | 'failed' | 'trying' | 'succeeded' }
    >,
  ): void {
    switch (event.type) {
      case 'watch':
        return this.watches.add(turn, event.names)
      case 'snapshot':
        return this.watches.loaded(turn, event.key, event.stored)
      case 'ready':
        return this.watches.ready(turn, event.token, event.key, event.timeoutMs)
      case 'failed':
        return this.watches.failed(turn, event.key, event.instance, event.kind ?? 'unreachable')
      case 'trying':
        return this.watches.trying(turn, event.key, event.instance)
      case 'succeeded':
        return this.watches.succeeded(turn, event.key, event.instance)
    }
  }

  /** Unknown types are of a newer node and mean nothing here. */
  private receive(turn: Turn, message: ServerMessage): void {
    switch (message.type) {
      case 'registered':
        return this.registrations.registered(turn, message)
      case 'deregistered':
        return this.registrations.departures.answered(turn, message)
      case 'removed':
        return this.registrations.removed(turn, message)
      case 'view':
        return this.watches.view(turn, message)
      case 'delta':
        return this.watches.delta(turn, message)
      case 'watching':
        return this.watches.watching(turn, message)
      case 'signs':
        return this.watches.compared(turn, message)
      case 'settled':
        return this.closing?.settlement.answered(turn, message)
      case 'error':
        if (message.req === undefined) {
          turn.emit({
            type: 'log',
            level: 'warn',
            fields: { ...message.error },
            message: 'the registry reports an error',
          })
        }
        this.registrations.failed(turn, message)
        this.registrations.departures.failed(turn, message)
        this.closing?.settlement.failed(message)
        return this.watches.rejected(turn, message)
      default:
        return
    }
  }

  private beginClosing(turn: Turn, token: Token): void {
    const error = new RegistryError('closed', 'the client was closed')
    this.registrations.cancel(turn, error)
    this.watches.cancel(turn, error)
    this.watches.flush(turn)
    this.link.hurry(turn)
    const { times } = this.settings
    const registered = this.registrations.size > 0 && this.link.usable
    if (registered) this.registrations.drainAll()
    this.closing = {
      token,
      settlement: new Settlement(turn, times, this, registered ? this.registrations.views : []),
      deadline: turn.now + times.closeMs,
      // The loss of the present connection counts as a failure too.
      hopelessAt:
        this.link.failuresInRow + Math.max(1, this.settings.urls.length) + (this.link.usable ? 1 : 0),
      departed: false,
    }
  }

  private tickClosing(turn: Turn): void {
    const { closing } = this
    if (closing === undefined) return
    if (!closing.departed) closing.settlement.tick(turn, this.registrations.settled)
    if (!closing.departed && turn.now >= closing.settlement.at) {
      closing.departed = true
      this.registrations.deregisterAll(turn)
      this.registrations.tick(turn)
    }
    const pending = this.registrations.departures.size
    const hopeless = !this.link.usable && this.link.failuresInRow >= closing.hopelessAt
    if (!closing.departed || (pending > 0 && turn.now < closing.deadline && !hopeless)) return
    if (pending > 0) {
      const fields = { instances: pending }
      turn.emit({
        type: 'log',
        level: 'warn',
        fields,
        message: 'closed without a registry confirming the deregistration',
      })
    }
    this.closed = true
    this.link.close(turn)
    turn.emit({ type: 'resolve', token: closing.token })
  }

  private tooLate(turn: Turn, event: ClientEvent): void {
    if (!('token' in event)) return
    if (event.type === 'close') turn.emit({ type: 'resolve', token: event.token })
    else
      turn.emit({
        type: 'reject',
        token: event.token,
        error: new RegistryError('closed', 'the client was closed'),
      })
  }
}
