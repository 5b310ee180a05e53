/** What this process wants registered in one cluster. */
import type {
  ErrorBody,
  ErrorMessage,
  Intent,
  RegisteredMessage,
  RemovedMessage,
  VacantMessage,
  ViewName,
} from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { batches } from './batches.js'
import { earliest, earliestOf } from '../machine/deadlines.js'
import { Departures } from './departures.js'
import type { RegistrationPatch, RegistrationState, Token } from '../machine/events.js'
import type { ClusterItem, ClusterTurn } from './events.js'
import type { Outbox } from './outbox.js'
import type { Desired, RegistrationEntry, Sent } from './registration-entry.js'
import { isAccepted, itemOf, refOf, sentItem, shownOtherwise } from './registration-entry.js'
import { blockingIncarnation, INCARNATION_MAX, isTooFarAhead, reactionTo } from './refusals.js'
import type { MachineSettings } from '../machine/settings.js'
import { nameOf, viewKey } from '../machine/keys.js'

/** Most requests that wait for an answer; the connection is not used for more until some arrive. */
const REQUESTS_MAX = 1_024

/** The endlessly desired registrations of this process. */
export class Registrations {
  private readonly settings: MachineSettings
  private readonly outbox: Outbox
  private readonly entries = new Map<number, RegistrationEntry>()
  private readonly names = new Map<string, number>()
  private readonly requests = new Map<number, Sent>()
  /** Entries may be waiting to be sent; spares a look at each of them at every turn. */
  private dirty = false
  private nextHold: number | undefined
  private batchItemsMax = Number.POSITIVE_INFINITY
  /** Deregistrations under way. */
  readonly departures: Departures

  constructor(settings: MachineSettings, outbox: Outbox) {
    this.settings = settings
    this.outbox = outbox
    this.departures = new Departures(settings.times, outbox)
  }

  /** How many registrations are desired. */
  get size(): number {
    return this.entries.size
  }

  /** How many of them a registry has acknowledged. */
  get accepted(): number {
    let count = 0
    for (const { state } of this.entries.values()) if (isAccepted(state)) count += 1
    return count
  }

  /** Nothing that was sent is without an answer. */
  get settled(): boolean {
    return this.requests.size === 0
  }

  /** The services and groups of this process. */
  get views(): readonly ViewName[] {
    const views = new Map<string, ViewName>()
    for (const { desired } of this.entries.values()) {
      const { namespace, service, group } = desired.spec
      views.set(viewKey({ namespace, service, group }), { namespace, service, group })
    }
    return [...views.values()]
  }

  /** Registers from now on; names and handles are free. */
  register(turn: ClusterTurn, items: readonly ClusterItem[]): void {
    for (const { handle, spec, intent, incarnation } of items) {
      this.names.set(nameOf(spec), handle)
      this.tell(turn, { handle, state: 'pending', incarnation })
      this.entries.set(handle, {
        handle,
        desired: { spec, intent },
        accepted: undefined,
        incarnation,
        rev: 1,
        sentRev: 0,
        held: false,
        state: 'pending',
        holdUntil: undefined,
        setbacks: 0,
        updates: [],
      })
    }
    this.dirty = true
  }

  update(turn: ClusterTurn, token: Token, handle: number, patch: RegistrationPatch, intent?: Intent): void {
    const entry = this.entries.get(handle)
    if (entry === undefined) {
      turn.emit({
        type: 'reject',
        token,
        error: new RegistryError('deregistered', 'this registration was taken back'),
      })
      return
    }
    entry.desired = { spec: { ...entry.desired.spec, ...patch }, intent: intent ?? entry.desired.intent }
    this.revise(entry)
    entry.updates.push({ token, rev: entry.rev })
  }

  /** Every registration is draining from now on. */
  drainAll(): void {
    for (const entry of this.entries.values()) {
      entry.desired = { ...entry.desired, intent: 'draining' }
      this.revise(entry)
    }
  }

  /** Takes registrations back; unknown handles count as done. */
  deregister(turn: ClusterTurn, handles: readonly number[], token: Token | undefined): void {
    const gone = handles.map((handle) => this.entries.get(handle)).filter((entry) => entry !== undefined)
    for (const entry of gone) this.forget(turn, entry, 'deregistered')
    const refs = gone
      .filter((entry) => entry.held)
      .map((entry) => ({
        ...refOf(entry.desired.spec, this.settings.namespace),
        incarnation: entry.incarnation,
      }))
    this.departures.add(turn, refs, token)
  }

  /** Takes everything back. */
  deregisterAll(turn: ClusterTurn): void {
    this.deregister(turn, [...this.entries.keys()], undefined)
  }

  /** Rejects all that wait. */
  cancel(turn: ClusterTurn, error: RegistryError): void {
    for (const entry of this.entries.values()) {
      for (const { token } of entry.updates) turn.emit({ type: 'reject', token, error })
      entry.updates = []
    }
  }

  /** A connection was lost: whatever it carried has to be said again. */
  down(): void {
    this.requests.clear()
    this.departures.down()
    this.batchItemsMax = Number.POSITIVE_INFINITY
    for (const entry of this.entries.values()) {
      this.unsend(entry)
      // Its place in the line went with the session.
      if (entry.state === 'standby') entry.holdUntil = undefined
    }
  }

  registered(turn: ClusterTurn, message: RegisteredMessage): void {
    const sent = this.take(message.req)
    if (sent === undefined) return
    sent.items.forEach(({ entry, incarnation, rev, desired }, index) => {
      const result = message.results[index]
      if (
        result === undefined ||
        this.entries.get(entry.handle) !== entry ||
        entry.incarnation !== incarnation
      )
        return
      if (result.ok) {
        this.accept(turn, entry, rev, desired)
        if (result.state !== undefined) shownOtherwise(turn, result)
      } else this.refuse(turn, entry, result.error, rev)
    })
    if (message.warnings !== undefined && message.warnings.length > 0) {
      const fields = { warnings: message.warnings }
      turn.emit({
        type: 'log',
        level: 'warn',
        fields,
        message: 'the registry warns about a registration',
      })
    }
  }

  /** A register request failed as a whole. */
  failed(turn: ClusterTurn, message: ErrorMessage): void {
    const sent = this.take(message.req)
    if (sent === undefined) return
    if (reactionTo(message.error) === 'smaller' && sent.items.length > 1) {
      this.batchItemsMax = Math.ceil(sent.items.length / 2)
      for (const { entry } of sent.items) this.unsend(entry)
      return
    }
    for (const { entry, rev } of sent.items) {
      if (this.entries.get(entry.handle) === entry) this.refuse(turn, entry, message.error, rev)
    }
  }

  /** The connection itself is refused: all is said again when it is not. */
  refuseAll(turn: ClusterTurn, error: RegistryError): void {
    for (const entry of this.entries.values()) this.enter(turn, entry, 'refused', error)
  }

  /** An operator or another process ended registrations of this session. */
  removed(turn: ClusterTurn, message: RemovedMessage): void {
    for (const item of message.instances) {
      const entry = this.entries.get(this.names.get(nameOf(item)) ?? -1)
      if (entry === undefined || entry.incarnation !== item.incarnation) continue
      if (item.reason === 'deregistered') this.anew(turn, entry, undefined)
      else {
        const error = new RegistryError('superseded', 'another process took over this id')
        this.conflict(turn, entry, error, item.standby === true)
      }
    }
  }

  /** The process that held an id this one stands by for is gone, or about to be. */
  vacant(turn: ClusterTurn, message: VacantMessage): void {
    for (const item of message.instances) {
      const entry = this.entries.get(this.names.get(nameOf(item)) ?? -1)
      if (entry?.state !== 'standby' || item.incarnation >= INCARNATION_MAX) continue
      if (entry.incarnation <= item.incarnation) this.renumber(turn, entry, item.incarnation + 1)
      entry.holdUntil = undefined
      this.dirty = true
    }
  }

  tick(turn: ClusterTurn): void {
    for (const [req, sent] of this.requests) {
      if (turn.now < sent.deadline) continue
      this.requests.delete(req)
      for (const { entry } of sent.items) this.unsend(entry)
    }
    this.departures.tick(turn)
    this.flush(turn)
  }

  deadline(): number | undefined {
    return earliest(
      this.departures.deadline(),
      earliestOf(this.requests.values(), (sent) => sent.deadline),
      this.outbox.usable ? this.nextHold : undefined,
    )
  }

  private flush(turn: ClusterTurn): void {
    if (!this.outbox.usable || !(this.dirty || turn.now >= (this.nextHold ?? Number.POSITIVE_INFINITY)))
      return
    const unsent = [...this.entries.values()].filter((entry) => entry.sentRev < entry.rev)
    const due = unsent.filter((entry) => entry.holdUntil === undefined || turn.now >= entry.holdUntil)
    this.nextHold = earliestOf(unsent, (entry) =>
      turn.now >= (entry.holdUntil ?? 0) ? undefined : entry.holdUntil,
    )
    const items = new Map(due.map((entry) => [itemOf(entry, this.settings.namespace), entry]))
    const { limits } = this.outbox
    const bounds = { ...limits, batchItemsMax: Math.min(limits.batchItemsMax, this.batchItemsMax) }
    for (const batch of batches([...items.keys()], bounds)) {
      if (this.requests.size >= REQUESTS_MAX) return
      const req = this.outbox.request(turn, (number) => ({ type: 'register', req: number, instances: batch }))
      const entries = batch.map((item) => items.get(item)!)
      for (const entry of entries) {
        entry.holdUntil = undefined
        entry.sentRev = entry.rev
        entry.held = true
      }
      const deadline = turn.now + this.settings.times.requestTimeoutMs
      this.requests.set(req, { deadline, items: entries.map(sentItem) })
    }
    this.dirty = false
  }

  private revise(entry: RegistrationEntry): void {
    entry.rev += 1
    this.dirty = true
  }

  private unsend(entry: RegistrationEntry): void {
    entry.sentRev = 0
    this.dirty = true
  }

  private accept(turn: ClusterTurn, entry: RegistrationEntry, rev: number, desired: Desired): void {
    entry.setbacks = 0
    entry.accepted = desired
    this.enter(turn, entry, desired.intent)
    for (const update of entry.updates)
      if (update.rev <= rev) turn.emit({ type: 'resolve', token: update.token })
    entry.updates = entry.updates.filter((update) => update.rev > rev)
  }

  private refuse(turn: ClusterTurn, entry: RegistrationEntry, body: ErrorBody, rev: number): void {
    const error = new RegistryError(body.code, body.message, body)
    entry.setbacks += 1
    if (entry.accepted === undefined) entry.held = false
    const reaction = reactionTo(body)
    if (reaction === 'raise' || (reaction === 'anew' && entry.accepted === undefined)) {
      this.raise(turn, entry, blockingIncarnation(body) ?? entry.incarnation)
    } else if (reaction === 'anew') this.anew(turn, entry, error)
    else if (reaction === 'later') this.postpone(turn, entry, this.soon(entry))
    else if (reaction === 'conflict') this.conflict(turn, entry, error, body.details?.['standby'] === true)
    else this.unwanted(turn, entry, error, rev)
  }

  /** A refused update falls back to what the registry holds; a refused registration is asked for again slowly. */
  private unwanted(turn: ClusterTurn, entry: RegistrationEntry, error: RegistryError, rev: number): void {
    for (const { token } of entry.updates.filter((update) => update.rev <= rev))
      turn.emit({ type: 'reject', token, error })
    const updating = entry.updates.some((update) => update.rev <= rev)
    entry.updates = entry.updates.filter((update) => update.rev > rev)
    if (updating && entry.accepted !== undefined && entry.rev === rev) {
      entry.desired = { ...entry.accepted, intent: entry.desired.intent }
      this.revise(entry)
      return
    }
    this.enter(turn, entry, 'refused', error)
    if (isTooFarAhead(error)) this.renumber(turn, entry, 0)
    this.postpone(turn, entry, this.settings.times.conflictMs)
  }

  private raise(turn: ClusterTurn, entry: RegistrationEntry, above: number): void {
    this.renumber(turn, entry, above + 1)
    // Each raise beats what was in the way; more than a few mean that another process raises against this one.
    if (entry.setbacks > 3) this.postpone(turn, entry, this.soon(entry))
  }

  private anew(turn: ClusterTurn, entry: RegistrationEntry, error: RegistryError | undefined): void {
    // Told of the incarnation it happened to; the next one follows.
    const why = error ?? new RegistryError('deregistered', 'this instance was deregistered from outside')
    this.enter(turn, entry, 'removed', why)
    this.renumber(turn, entry, 0)
    this.postpone(turn, entry, this.settings.times.holdOffMs)
  }

  private conflict(
    turn: ClusterTurn,
    entry: RegistrationEntry,
    error: RegistryError,
    standby: boolean,
  ): void {
    if (standby) this.enter(turn, entry, 'standby')
    else this.enter(turn, entry, 'conflict', error)
    // A deregistration is how it leaves the line.
    if (standby) entry.held = true
    this.postpone(turn, entry, this.settings.times.conflictMs)
  }

  private renumber(turn: ClusterTurn, entry: RegistrationEntry, floor: number): void {
    entry.incarnation = this.settings.incarnations.next(floor)
    entry.held = false
    this.unsend(entry)
    this.tell(turn, entry)
  }

  private postpone(turn: ClusterTurn, entry: RegistrationEntry, delayMs: number): void {
    this.unsend(entry)
    entry.holdUntil = turn.now + delayMs * (0.8 + 0.4 * this.settings.random())
  }

  private soon(entry: RegistrationEntry): number {
    const { retryMsMin, retryMsMax } = this.settings.times
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(entry.setbacks, 20))
  }

  private enter(
    turn: ClusterTurn,
    entry: RegistrationEntry,
    state: RegistrationState,
    error?: RegistryError,
  ): void {
    if (entry.state === state) return
    entry.state = state
    this.tell(turn, entry, error)
  }

  private forget(turn: ClusterTurn, entry: RegistrationEntry, state: RegistrationState): void {
    this.entries.delete(entry.handle)
    this.names.delete(nameOf(entry.desired.spec))
    const error = new RegistryError('deregistered', 'this registration was taken back')
    for (const { token } of entry.updates) turn.emit({ type: 'reject', token, error })
    this.tell(turn, { ...entry, state })
  }

  private tell(
    turn: ClusterTurn,
    { handle, state, incarnation }: Pick<RegistrationEntry, 'handle' | 'state' | 'incarnation'>,
    error?: RegistryError,
  ): void {
    const { cluster } = this.settings
    const why = error === undefined ? {} : { error }
    turn.emit({ type: 'registration', cluster, handle, state, incarnation, ...why })
  }

  private take(req: number | undefined): Sent | undefined {
    const sent = req === undefined ? undefined : this.requests.get(req)
    if (req !== undefined) this.requests.delete(req)
    return sent
  }
}
