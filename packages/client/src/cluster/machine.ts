/** The client of one cluster as a step function over messages and time: connection, registrations, lists. */
import type { ClientMessage, RegistryError, ServerMessage } from '@rollcall/wire'
import { closedError } from '../machine/errors.js'
import { earliest } from '../machine/deadlines.js'
import type { Token } from '../machine/events.js'
import type { MachineSettings } from '../machine/settings.js'
import type { ClusterStatus } from '../machine/status.js'
import type { BatchLimits } from './batches.js'
import type { ClusterEffect, ClusterEvent, ClusterTurn } from './events.js'
import { Link } from './link.js'
import { MirroredLists } from './lists.js'
import type { Outbox } from './outbox.js'
import { Registrations } from './registrations.js'
import { Settlement } from './settlement.js'
import type { Failure } from './trouble.js'

interface Closing {
  readonly token: Token
  readonly settlement: Settlement
  readonly deadline: number
  /** With so many failures in a row every node was tried in vain since the closing began. */
  readonly hopelessAt: number
  departed: boolean
}

/** Nothing happens before a `start` event, and nothing after `close` has been settled. */
export class ClusterMachine implements Outbox {
  private readonly settings: MachineSettings
  private readonly link: Link
  private readonly registrations: Registrations
  private readonly lists: MirroredLists
  private nextReq = 1
  private closing: Closing | undefined
  private closed = false

  constructor(settings: MachineSettings) {
    this.settings = settings
    this.registrations = new Registrations(settings, this)
    this.lists = new MirroredLists(settings, this)
    this.link = new Link(settings, {
      up: (turn) => this.lists.up(turn),
      down: (turn) => {
        this.closing?.settlement.down()
        this.registrations.down()
        this.lists.down(turn)
      },
      refused: (turn, error) => this.registrations.refuseAll(turn, error),
    })
  }

  get usable(): boolean {
    return this.link.usable
  }

  get limits(): BatchLimits {
    return this.link.limits
  }

  /** State of the connection. Cheap. */
  get connection(): ClusterStatus['connection'] {
    return this.closed ? { state: 'closed' } : this.link.status
  }

  /** Attempts to connect that try every node which deserves one. */
  get round(): number {
    return this.link.round
  }

  /** Attempts in a row to connect that led nowhere. */
  get failuresInRow(): number {
    return this.link.failuresInRow
  }

  send(turn: ClusterTurn, message: ClientMessage): void {
    this.link.send(turn, message)
  }

  request(turn: ClusterTurn, build: (req: number) => ClientMessage): number {
    const req = this.nextReq++
    this.link.send(turn, build(req))
    return req
  }

  /** Takes events in at a moment (never earlier than the one before) and returns what is to be done, in order. */
  step(now: number, events: readonly ClusterEvent[]): readonly ClusterEffect[] {
    const effects: ClusterEffect[] = []
    if (this.closed) return effects
    const turn: ClusterTurn = { now, emit: (effect) => effects.push(effect) }
    for (const event of events) this.handle(turn, event)
    this.link.tick(turn)
    this.registrations.tick(turn)
    this.lists.tick(turn)
    if (this.link.usable && this.registrations.settled) this.link.retire(turn)
    this.tickClosing(turn)
    return effects
  }

  /** When `step` next wants to be called; undefined when nothing is planned. */
  deadline(): number | undefined {
    if (this.closed) return undefined
    const { closing } = this
    const end = closing?.departed === true ? closing.deadline : closing?.settlement.deadline()
    return earliest(this.link.deadline(), this.registrations.deadline(), this.lists.deadline(), end)
  }

  /** The last failure of a connection, also when it is over. */
  get lastFailure(): Failure | undefined {
    return this.link.lastFailure
  }

  /** Why every node refuses the connection, if they do. */
  get refusal(): RegistryError | undefined {
    return this.closed ? undefined : this.link.refusal
  }

  /** `wallNow` is the same moment as `now`, for people. */
  status(now: number, wallNow: number): ClusterStatus {
    const { size: registrations, accepted } = this.registrations
    const last = this.link.lastFailure
    const lastError = last && { lastError: { ...last, at: Math.round(wallNow - (now - last.at)) } }
    const connection = this.closed ? this.connection : { ...this.link.status, ...lastError }
    return { name: this.settings.cluster, connection, registrations, accepted }
  }

  private handle(turn: ClusterTurn, event: ClusterEvent): void {
    switch (event.type) {
      case 'start':
        return this.link.start(turn)
      case 'opened':
        return this.link.opened(turn, event.connection)
      case 'closed':
        return this.link.closed(turn, event.connection, event.code, event.reason, event.refusal)
      case 'message':
        if (this.link.message(turn, event.connection, event.message)) this.receive(turn, event.message)
        return
      case 'register':
        this.registrations.register(turn, event.items)
        if (this.link.refusal !== undefined) this.registrations.refuseAll(turn, this.link.refusal)
        return
      case 'update':
        return this.registrations.update(turn, event.token, event.handle, event.patch, event.intent)
      case 'deregister':
        return this.registrations.deregister(turn, event.handles, event.token)
      case 'watch':
        return this.lists.add(turn, event.names)
      case 'unwatch':
        return this.lists.remove(turn, event.key)
      case 'snapshot':
        return this.lists.loaded(turn, event.key, event.stored)
      case 'failed':
        return this.lists.failed(turn, event.key, event.instance, event.kind ?? 'unreachable')
      case 'close':
        return this.beginClosing(turn, event.token)
    }
  }

  /** Unknown types are of a newer node and mean nothing here. */
  private receive(turn: ClusterTurn, message: ServerMessage): void {
    switch (message.type) {
      case 'registered':
        return this.registrations.registered(turn, message)
      case 'deregistered':
        return this.registrations.departures.answered(turn, message)
      case 'removed':
        return this.registrations.removed(turn, message)
      case 'vacant':
        return this.registrations.vacant(turn, message)
      case 'view':
        return this.lists.view(turn, message)
      case 'delta':
        return this.lists.delta(turn, message)
      case 'watching':
        return this.lists.watching(turn, message)
      case 'signs':
        return this.lists.compared(turn, message)
      case 'settled':
        return this.closing?.settlement.answered(turn, message)
      case 'error':
        if (message.req === undefined) {
          const fields = { ...message.error }
          turn.emit({ type: 'log', level: 'warn', fields, message: 'the registry reports an error' })
        }
        this.registrations.failed(turn, message)
        this.registrations.departures.failed(turn, message)
        this.closing?.settlement.failed(message)
        return this.lists.rejected(turn, message)
      default:
        return
    }
  }

  private beginClosing(turn: ClusterTurn, token: Token): void {
    this.registrations.cancel(turn, closedError())
    this.lists.flush(turn)
    this.link.hurry(turn)
    const { times } = this.settings
    const registered = this.registrations.size > 0 && this.link.usable
    if (registered) this.registrations.drainAll()
    this.closing = {
      token,
      settlement: new Settlement(turn, times, this, registered ? this.registrations.views : []),
      deadline: turn.now + times.closeMs,
      // The loss of the present connection counts as a failure too.
      hopelessAt: this.link.failuresInRow + Math.max(1, this.link.round) + (this.link.usable ? 1 : 0),
      departed: false,
    }
  }

  private tickClosing(turn: ClusterTurn): void {
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
      const message = 'closed without a registry confirming the deregistration'
      turn.emit({ type: 'log', level: 'warn', fields, message })
    }
    this.closed = true
    this.link.close(turn)
    turn.emit({ type: 'resolve', token: closing.token })
  }
}
