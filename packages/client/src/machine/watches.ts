import type {
  DeltaMessage,
  ErrorMessage,
  Instance,
  SignsAnswerMessage,
  ViewMessage,
  ViewName,
  WatchItem,
  WatchingMessage,
} from '@rollcall/wire'
import { EMPTY_SIGN, RegistryError } from '@rollcall/wire'
import type { FailureKind } from '../overlay/ejections.js'
import { batches } from './batches.js'
import { earliest } from './deadlines.js'
import type { StoredList, Token, Turn } from './events.js'
import { Hints } from './hints.js'
import type { Outbox } from './outbox.js'
import type { MachineSettings } from './settings.js'
import type { WatchStatus } from './status.js'
import { viewKey, Watch } from './watch.js'

interface Sent {
  readonly kind: 'watch' | 'signs'
  readonly items: readonly { readonly watch: Watch; readonly sign: string | undefined }[]
}

/** All watched views of this client, and the talk with the node about them. */
export class Watches {
  private readonly settings: MachineSettings
  private readonly outbox: Outbox
  private readonly byKey = new Map<string, Watch>()
  /** Not announced on this connection yet. */
  private readonly unsent = new Set<Watch>()
  private readonly resyncing = new Set<Watch>()
  private readonly requests = new Map<number, Sent>()
  private readonly hints: Hints
  /** Not to be announced before: the node refused. */
  private announceAt: number | undefined
  /** Refusals in a row. */
  private refusals = 0
  private compareAt: number | undefined
  private ackAt: number | undefined
  private appliedSeq = 0
  /** No watch is due before this; it may be too early, never too late. */
  private dueAt: number | undefined

  constructor(settings: MachineSettings, outbox: Outbox) {
    this.settings = settings
    this.outbox = outbox
    this.hints = new Hints(settings, outbox)
  }

  get size(): number {
    return this.byKey.size
  }

  /** A view by key; undefined when it is not watched. */
  get(key: string): Watch | undefined {
    return this.byKey.get(key)
  }

  status(now: number): readonly WatchStatus[] {
    return [...this.byKey.values()].map((watch) => watch.status(now))
  }

  /** Watches views; those that are watched already, and those beyond the bound, are left out. */
  add(turn: Turn, names: readonly ViewName[]): void {
    for (const name of names) {
      if (this.byKey.has(viewKey(name)) || this.byKey.size >= this.settings.watchesMax) continue
      const watch = new Watch(turn, this.settings, name)
      this.byKey.set(watch.key, watch)
      this.unsent.add(watch)
      this.touch(watch)
    }
  }

  up(turn: Turn): void {
    this.compareAt = turn.now + this.comparePeriod()
  }

  /** The connection is gone. Lists stay as they are. */
  down(): void {
    this.requests.clear()
    this.resyncing.clear()
    this.ackAt = undefined
    this.appliedSeq = 0
    this.compareAt = undefined
    this.announceAt = undefined
    this.hints.down()
    for (const watch of this.byKey.values()) {
      watch.down()
      this.unsent.add(watch)
    }
  }

  loaded(turn: Turn, key: string, stored: StoredList | undefined): void {
    this.on(key, (watch) => watch.loaded(turn, stored))
  }

  ready(turn: Turn, token: Token, key: string, timeoutMs: number): void {
    const error = new RegistryError(
      'limit_exceeded',
      `more than ${this.settings.watchesMax} services are watched`,
    )
    if (!this.byKey.has(key)) turn.emit({ type: 'reject', token, error })
    this.on(key, (watch) => watch.ready(turn, token, timeoutMs))
  }

  failed(turn: Turn, key: string, instance: Instance, kind: FailureKind): void {
    this.on(key, (watch) => {
      watch.failed(turn, instance, kind)
      // A failure that was an answer says nothing the registry could find out.
      if (kind !== 'failure' && watch.lists(instance)) this.hints.add(turn, instance)
    })
  }

  trying(turn: Turn, key: string, instance: Instance): void {
    this.on(key, (watch) => watch.trying(turn, instance))
  }

  succeeded(turn: Turn, key: string, instance: Instance): void {
    this.on(key, (watch) => watch.succeeded(turn, instance))
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const watch of this.byKey.values()) watch.cancel(turn, error)
  }

  /** Saves every list that was to be saved soon. */
  flush(turn: Turn): void {
    for (const watch of this.byKey.values()) watch.flush(turn)
  }

  view(turn: Turn, message: ViewMessage): void {
    this.applied(turn, message.seq, true)
    this.on(viewKey(message), (watch) => {
      this.verify(turn, watch, watch.view(turn, message), message.sign)
    })
  }

  delta(turn: Turn, message: DeltaMessage): void {
    this.applied(turn, message.seq, isAwaited(message))
    this.on(viewKey(message), (watch) => {
      this.verify(turn, watch, watch.delta(turn, message), message.to)
    })
  }

  /** The watches stand. What had the current sign is answered by nothing else. */
  watching(turn: Turn, message: WatchingMessage): void {
    this.refusals = 0
    for (const { watch, sign } of this.take(message.req)?.items ?? []) {
      if (!watch.current && sign !== undefined && watch.sign === sign)
        this.on(watch.key, () => watch.confirm(turn))
    }
  }

  /** The answer of a comparison. */
  compared(turn: Turn, message: SignsAnswerMessage): void {
    const sent = this.take(message.req)
    if (sent === undefined) return
    const changed = new Map(message.changed.map((item) => [viewKey(item), item.sign]))
    for (const { watch, sign } of sent.items) {
      if ((watch.sign ?? EMPTY_SIGN) !== sign) continue
      const differs = changed.has(watch.key)
      if (!differs) this.on(watch.key, () => watch.confirm(turn))
      // The node sends what was missed by itself; if the next comparison still finds the same, it did not.
      else if (watch.mismatch === sign) this.resync(turn, watch)
      else watch.mismatch = sign
    }
  }

  /** A request failed as a whole. */
  rejected(turn: Turn, message: ErrorMessage): void {
    const sent = this.take(message.req)
    if (sent?.kind !== 'watch') return
    const fields = {
      code: message.error.code,
      reason: message.error.message,
      services: sent.items.length,
    }
    turn.emit({ type: 'log', level: 'warn', fields, message: 'the registry refused to watch' })
    for (const { watch } of sent.items) {
      watch.sent = false
      this.unsent.add(watch)
    }
    const { retryMsMin, retryMsMax } = this.settings.times
    this.announceAt = turn.now + Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.refusals, 20))
    this.refusals += 1
  }

  tick(turn: Turn): void {
    const { now } = turn
    if (this.dueAt !== undefined && now >= this.dueAt) this.tickDue(turn)
    if (!this.outbox.usable) return
    this.announce(turn)
    this.askAgain(turn)
    this.hints.tick(turn)
    if (this.compareAt !== undefined && now >= this.compareAt) this.compare(turn)
    if (this.ackAt !== undefined && now >= this.ackAt) {
      this.ackAt = undefined
      this.outbox.send(turn, { type: 'ack', seq: this.appliedSeq })
    }
  }

  deadline(): number | undefined {
    if (!this.outbox.usable) return this.dueAt
    return earliest(this.dueAt, this.compareAt, this.ackAt, this.announceAt, this.hints.deadline())
  }

  private tickDue(turn: Turn): void {
    this.dueAt = undefined
    for (const watch of this.byKey.values()) {
      const due = watch.deadline()
      if (due !== undefined && due <= turn.now) {
        if (watch.resyncAt !== undefined && watch.resyncAt <= turn.now) this.resync(turn, watch)
        watch.tick(turn, this.outbox.usable)
      }
      this.touch(watch)
    }
  }

  private announce(turn: Turn): void {
    if (this.unsent.size === 0 || turn.now < (this.announceAt ?? 0)) return
    this.announceAt = undefined
    const items = new Map([...this.unsent].map((watch) => [this.itemOf(watch), watch]))
    this.unsent.clear()
    for (const batch of batches([...items.keys()], this.outbox.limits)) {
      const req = this.outbox.request(turn, (number) => ({ type: 'watch', req: number, services: batch }))
      const sent = batch.map((item) => ({ watch: items.get(item)!, sign: item.sign }))
      for (const { watch } of sent) watch.sent = true
      this.requests.set(req, { kind: 'watch', items: sent })
    }
  }

  private askAgain(turn: Turn): void {
    if (this.resyncing.size === 0) return
    const items = [...this.resyncing].map((watch) => this.nameOf(watch))
    this.resyncing.clear()
    for (const services of batches(items, this.outbox.limits))
      this.outbox.send(turn, { type: 'resync', services })
  }

  private compare(turn: Turn): void {
    this.compareAt = turn.now + this.comparePeriod()
    for (const [req, sent] of this.requests) if (sent.kind === 'signs') this.requests.delete(req)
    const watches = [...this.byKey.values()]
    // A watch that was never answered is compared as the empty list: it may be one, or be forgotten.
    const sent = watches.filter((watch) => watch.sent)
    const items = new Map(
      sent.map((watch) => [{ ...this.nameOf(watch), sign: watch.sign ?? EMPTY_SIGN }, watch]),
    )
    for (const services of batches([...items.keys()], this.outbox.limits)) {
      const req = this.outbox.request(turn, (number) => ({ type: 'signs', req: number, services }))
      this.requests.set(req, {
        kind: 'signs',
        items: services.map((item) => ({ watch: items.get(item)!, sign: item.sign })),
      })
    }
  }

  private verify(turn: Turn, watch: Watch, verified: boolean, expected: string): void {
    if (verified || watch.resyncAt !== undefined) return
    const fields = { service: watch.name.service, group: watch.name.group, sign: watch.sign, expected }
    turn.emit({ type: 'log', level: 'warn', fields, message: 'a list does not add up: asking for all of it' })
    this.resync(turn, watch)
  }

  private resync(turn: Turn, watch: Watch): void {
    if (watch.sent) this.resyncing.add(watch)
    watch.nextResync(turn)
    this.touch(watch)
  }

  private applied(turn: Turn, seq: number, awaited: boolean): void {
    const { ackMs, ackIdleMs } = this.settings.times
    this.appliedSeq = Math.max(this.appliedSeq, seq)
    this.ackAt = earliest(this.ackAt, turn.now + (awaited ? ackMs : ackIdleMs))
  }

  /** Runs something on a watch and keeps track of when it is due next. */
  private on(key: string, run: (watch: Watch) => void): void {
    const watch = this.byKey.get(key)
    if (watch === undefined) return
    run(watch)
    this.touch(watch)
  }

  private touch(watch: Watch): void {
    this.dueAt = earliest(this.dueAt, watch.deadline())
  }

  private take(req: number | undefined): Sent | undefined {
    const sent = req === undefined ? undefined : this.requests.get(req)
    if (req !== undefined) this.requests.delete(req)
    return sent
  }

  private itemOf(watch: Watch): WatchItem {
    const { sign } = watch
    return sign === undefined ? this.nameOf(watch) : { ...this.nameOf(watch), sign }
  }

  private nameOf(watch: Watch): WatchItem {
    const { namespace, service, group } = watch.name
    return {
      ...(namespace === this.settings.namespace ? {} : { namespace }),
      service,
      ...(group === undefined ? {} : { group }),
    }
  }

  private comparePeriod(): number {
    return this.settings.times.compareMs * (0.8 + 0.4 * this.settings.random())
  }
}

/** Whether somebody may wait until everybody knows: a provider that drains, or is gone. */
function isAwaited({ upserts, removes }: DeltaMessage): boolean {
  return removes.length > 0 || upserts.some(({ state }) => state === 'draining')
}
