/** The lists of one cluster, and the conversation with its node about them. */
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
import { EMPTY_SIGN, PARTS_MAX } from '@rollcall/wire'
import { batches } from './batches.js'
import { earliest } from '../machine/deadlines.js'
import type { FailureKind, StoredList } from '../machine/events.js'
import type { ClusterTurn } from './events.js'
import { Hints } from './hints.js'
import type { Outbox } from './outbox.js'
import type { MachineSettings } from '../machine/settings.js'
import { MirroredList } from './list.js'
import { viewKey } from '../machine/keys.js'

interface Sent {
  readonly kind: 'watch' | 'signs' | 'sums'
  readonly items: readonly { readonly list: MirroredList; readonly sign: string | undefined }[]
}

/** All watched views of one cluster, and the conversation with its node about them. */
export class MirroredLists {
  private readonly settings: MachineSettings
  private readonly outbox: Outbox
  private readonly byKey = new Map<string, MirroredList>()
  /** Not announced on this connection yet. */
  private readonly unsent = new Set<MirroredList>()
  private readonly resyncing = new Set<MirroredList>()
  /** To be shown by the sums of so many parts. */
  private readonly comparing = new Map<MirroredList, number>()
  /** Given back, and the node has not been told yet. */
  private readonly leaving: WatchItem[] = []
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

  /** Watches views that are not watched yet. */
  add(turn: ClusterTurn, names: readonly ViewName[]): void {
    for (const name of names) {
      const list = new MirroredList(turn, this.settings, name)
      this.byKey.set(list.key, list)
      this.unsent.add(list)
      this.touch(list)
    }
  }

  /** Gives a list back, after saving what was to be saved soon. */
  remove(turn: ClusterTurn, key: string): void {
    const list = this.byKey.get(key)
    if (list === undefined) return
    list.flush(turn)
    this.byKey.delete(key)
    this.unsent.delete(list)
    this.resyncing.delete(list)
    this.comparing.delete(list)
    if (list.sent) this.leaving.push(this.nameOf(list))
  }

  up(turn: ClusterTurn): void {
    this.compareAt = turn.now + this.comparePeriod()
  }

  /** The connection is gone. Lists stay as they are. */
  down(turn: ClusterTurn): void {
    this.requests.clear()
    this.resyncing.clear()
    this.comparing.clear()
    this.leaving.length = 0
    this.ackAt = undefined
    this.appliedSeq = 0
    this.compareAt = undefined
    this.announceAt = undefined
    this.hints.down()
    for (const list of this.byKey.values()) {
      list.down(turn)
      this.unsent.add(list)
    }
  }

  loaded(turn: ClusterTurn, key: string, stored: StoredList | undefined): void {
    this.on(key, (list) => list.loaded(turn, stored))
  }

  failed(turn: ClusterTurn, key: string, instance: Instance, kind: FailureKind): void {
    this.on(key, (list) => {
      list.failed(turn, instance, kind)
      // A failure that was an answer says nothing the registry could find out.
      if (kind !== 'failure' && list.lists(instance)) this.hints.add(turn, instance)
    })
  }

  /** Saves every list that was to be saved soon. */
  flush(turn: ClusterTurn): void {
    for (const list of this.byKey.values()) list.flush(turn)
  }

  view(turn: ClusterTurn, message: ViewMessage): void {
    this.applied(turn, message.seq, true)
    this.on(viewKey(message), (list) => {
      this.verify(turn, list, list.view(turn, message), message.sign)
    })
  }

  delta(turn: ClusterTurn, message: DeltaMessage): void {
    this.applied(turn, message.seq, isAwaited(message))
    this.on(viewKey(message), (list) => {
      this.verify(turn, list, list.delta(turn, message), message.to)
    })
  }

  /** The watches stand. What had the current sign is answered by nothing else. */
  watching(turn: ClusterTurn, message: WatchingMessage): void {
    this.refusals = 0
    const sent = this.take(message.req)
    const wanted = new Map((message.compare ?? []).map((item) => [viewKey(item), item.parts]))
    for (const { list, sign } of sent?.items ?? []) {
      if (!this.has(list)) continue
      const parts = sent?.kind === 'watch' ? wanted.get(list.key) : undefined
      list.comparing = parts !== undefined
      if (parts !== undefined) this.comparing.set(list, Math.min(PARTS_MAX, Math.max(1, parts)))
      else if (!list.current && sign !== undefined && list.sign === sign) this.confirm(turn, list)
      else if (!list.current && sent?.kind === 'sums') this.resync(turn, list)
    }
  }

  /** The answer of a comparison. */
  compared(turn: ClusterTurn, message: SignsAnswerMessage): void {
    const sent = this.take(message.req)
    if (sent === undefined) return
    const changed = new Map(message.changed.map((item) => [viewKey(item), item.sign]))
    for (const { list, sign } of sent.items) {
      if ((list.sign ?? EMPTY_SIGN) !== sign || !this.has(list)) continue
      const differs = changed.has(list.key)
      if (!differs) this.confirm(turn, list)
      // The node sends what was missed by itself; if the next comparison still finds the same, it did not.
      else if (list.mismatch === sign) this.resync(turn, list)
      else list.mismatch = sign
    }
  }

  /** A request failed as a whole. */
  rejected(turn: ClusterTurn, message: ErrorMessage): void {
    const sent = this.take(message.req)
    if (sent?.kind === 'sums') {
      for (const { list } of sent.items) {
        list.comparing = false
        if (this.has(list) && !list.current) this.resync(turn, list)
      }
      return
    }
    if (sent?.kind !== 'watch') return
    const fields = {
      code: message.error.code,
      reason: message.error.message,
      services: sent.items.length,
    }
    turn.emit({ type: 'log', level: 'warn', fields, message: 'the registry refused to watch' })
    for (const { list } of sent.items) {
      if (!this.has(list)) continue
      list.sent = false
      this.unsent.add(list)
    }
    const { retryMsMin, retryMsMax } = this.settings.times
    this.announceAt = turn.now + Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.refusals, 20))
    this.refusals += 1
  }

  tick(turn: ClusterTurn): void {
    const { now } = turn
    if (this.dueAt !== undefined && now >= this.dueAt) this.tickDue(turn)
    if (!this.outbox.usable) return
    // First: what is watched again after it was given back comes next.
    this.giveBack(turn)
    this.announce(turn)
    this.showSums(turn)
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

  private tickDue(turn: ClusterTurn): void {
    this.dueAt = undefined
    for (const list of this.byKey.values()) {
      const due = list.deadline()
      if (due !== undefined && due <= turn.now) {
        if (list.resyncAt !== undefined && list.resyncAt <= turn.now) this.resync(turn, list)
        list.tick(turn)
      }
      this.touch(list)
    }
  }

  private giveBack(turn: ClusterTurn): void {
    for (const services of batches(this.leaving.splice(0), this.outbox.limits))
      this.outbox.send(turn, { type: 'unwatch', services })
  }

  private announce(turn: ClusterTurn): void {
    if (this.unsent.size > 0 && turn.now < (this.announceAt ?? 0)) return
    this.announceAt = undefined
    if (this.unsent.size === 0) return
    const items = new Map([...this.unsent].map((list) => [this.itemOf(list), list]))
    this.unsent.clear()
    for (const batch of batches([...items.keys()], this.outbox.limits)) {
      const req = this.outbox.request(turn, (number) => ({ type: 'watch', req: number, services: batch }))
      const sent = batch.map((item) => ({ list: items.get(item)!, sign: item.sign }))
      for (const { list } of sent) list.sent = true
      this.requests.set(req, { kind: 'watch', items: sent })
    }
  }

  /** Shows the lists whose sign the node does not know by the sums of their parts. */
  private showSums(turn: ClusterTurn): void {
    if (this.comparing.size === 0) return
    const items = new Map(
      [...this.comparing].map(([list, parts]) => [{ ...this.itemOf(list), sums: list.sumsOf(parts) }, list]),
    )
    this.comparing.clear()
    for (const batch of batches([...items.keys()], this.outbox.limits)) {
      const req = this.outbox.request(turn, (number) => ({ type: 'watch', req: number, services: batch }))
      const sent = batch.map((item) => ({ list: items.get(item)!, sign: item.sign }))
      this.requests.set(req, { kind: 'sums', items: sent })
    }
  }

  private askAgain(turn: ClusterTurn): void {
    if (this.resyncing.size === 0) return
    const items = [...this.resyncing].map((list) => this.nameOf(list))
    this.resyncing.clear()
    for (const services of batches(items, this.outbox.limits))
      this.outbox.send(turn, { type: 'resync', services })
  }

  private compare(turn: ClusterTurn): void {
    this.compareAt = turn.now + this.comparePeriod()
    for (const [req, sent] of this.requests) if (sent.kind === 'signs') this.requests.delete(req)
    const watches = [...this.byKey.values()]
    // A watch that was never answered is compared as the empty list: it may be one, or be forgotten.
    const sent = watches.filter((list) => list.sent)
    const items = new Map(sent.map((list) => [{ ...this.nameOf(list), sign: list.sign ?? EMPTY_SIGN }, list]))
    for (const services of batches([...items.keys()], this.outbox.limits)) {
      const req = this.outbox.request(turn, (number) => ({ type: 'signs', req: number, services }))
      this.requests.set(req, {
        kind: 'signs',
        items: services.map((item) => ({ list: items.get(item)!, sign: item.sign })),
      })
    }
  }

  private verify(turn: ClusterTurn, list: MirroredList, verified: boolean, expected: string): void {
    if (verified || list.comparing || list.resyncAt !== undefined) return
    const fields = { service: list.name.service, group: list.name.group, sign: list.sign, expected }
    turn.emit({ type: 'log', level: 'warn', fields, message: 'a list does not add up: asking for all of it' })
    this.resync(turn, list)
  }

  private resync(turn: ClusterTurn, list: MirroredList): void {
    if (list.sent) this.resyncing.add(list)
    list.nextResync(turn)
    this.touch(list)
  }

  private applied(turn: ClusterTurn, seq: number, awaited: boolean): void {
    const { ackMs, ackIdleMs } = this.settings.times
    this.appliedSeq = Math.max(this.appliedSeq, seq)
    this.ackAt = earliest(this.ackAt, turn.now + (awaited ? ackMs : ackIdleMs))
  }

  private confirm(turn: ClusterTurn, list: MirroredList): void {
    if (!this.has(list)) return
    list.confirm(turn)
    this.touch(list)
  }

  /** Whether it is still wanted, and not given back and watched anew since. */
  private has(list: MirroredList): boolean {
    return this.byKey.get(list.key) === list
  }

  /** Runs something on a watch and keeps track of when it is due next. */
  private on(key: string, run: (list: MirroredList) => void): void {
    const list = this.byKey.get(key)
    if (list === undefined) return
    run(list)
    this.touch(list)
  }

  private touch(list: MirroredList): void {
    this.dueAt = earliest(this.dueAt, list.deadline())
  }

  private take(req: number | undefined): Sent | undefined {
    const sent = req === undefined ? undefined : this.requests.get(req)
    if (req !== undefined) this.requests.delete(req)
    return sent
  }

  private itemOf(list: MirroredList): WatchItem {
    const { sign } = list
    return sign === undefined ? this.nameOf(list) : { ...this.nameOf(list), sign }
  }

  private nameOf(list: MirroredList): WatchItem {
    const { namespace, service, group } = list.name
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

/** Whether a provider may wait until all subscribers know: a provider that drains, or is gone. */
function isAwaited({ upserts, removes }: DeltaMessage): boolean {
  return removes.length > 0 || upserts.some(({ state }) => state === 'draining')
}
