import type { Delta, Instance, View, ViewName } from '@rollcall/wire'
import { EMPTY_SIGN, RegistryError } from '@rollcall/wire'
import type { FailureKind } from '../overlay/ejections.js'
import type { MirrorChange } from '../mirror.js'
import { instanceKey, Mirror } from '../mirror.js'
import { nobodyError } from '../overlay/nobody.js'
import type { Choice, Standing } from '../overlay/overlay.js'
import { NOBODY, Overlay } from '../overlay/overlay.js'
import { earliest, earliestOf } from './deadlines.js'
import type { ListChange, ListSource, StoredList, Token, Turn } from './events.js'
import { SavePolicy } from './saving.js'
import type { MachineSettings } from './settings.js'
import type { Origin, WatchStatus } from './status.js'

/** Key of a view: which list is meant. */
export function viewKey(name: ViewName): string {
  return name.group === undefined
    ? `${name.namespace}\n${name.service}`
    : `${name.namespace}\n${name.service}\n${name.group}`
}

interface Waiter {
  readonly token: Token
  readonly deadline: number
}

const NO_CHANGE: MirrorChange = { upserts: [], removes: [], verified: true }

/** One watched view: what the nodes said, what is shown, what may be called. */
export class Watch {
  readonly key: string
  readonly name: ViewName
  private readonly settings: MachineSettings
  private readonly mirror = new Mirror()
  private readonly overlay: Overlay
  private readonly statics: readonly Instance[]
  private readonly policy: SavePolicy
  private shown: readonly Instance[] = []
  private source: ListSource = 'none'
  private choice: Choice = NOBODY
  private told: Standing | undefined
  private waiters: Waiter[] = []
  private headStartAt: number | undefined
  private stored: StoredList | undefined
  private confirmedAt: number | undefined
  private saveAt: number | undefined
  private chooseAt: number | undefined
  private guarding = false
  private resyncs = 0
  /** Announced on the current connection. */
  sent = false
  /** Fresh from a node on the current connection. */
  current = false
  /** A full view was asked for and has not come; ask again then. */
  resyncAt: number | undefined
  /** The node said at the last comparison that this sign differs from its own. */
  mismatch: string | undefined

  constructor(turn: Turn, settings: MachineSettings, name: ViewName) {
    this.key = viewKey(name)
    this.name = name
    this.settings = settings
    this.statics = settings.statics.get(this.key) ?? []
    this.overlay = new Overlay(this.statics, settings.overlay)
    this.policy = new SavePolicy(settings.times.shrunkMs)
    this.headStartAt = turn.now + (settings.urls.length === 0 ? 0 : settings.times.headStartMs)
    const { cluster } = settings
    if (settings.snapshots) turn.emit({ type: 'loadSnapshot', cluster, key: this.key, name })
  }

  /** Sign of the list a node can resume from; undefined when there is none. */
  get sign(): string | undefined {
    const { sign } = this.mirror
    return this.confirmedAt === undefined && sign === EMPTY_SIGN ? undefined : sign
  }

  status(now: number): WatchStatus {
    const { name, source, current: live, confirmedAt } = this
    const list = {
      source,
      sign: this.mirror.sign,
      instances: this.shown.length,
      kept: this.overlay.kept.length,
      ...(confirmedAt === undefined ? {} : { ageMs: now - confirmedAt }),
    }
    return { ...name, ...list, clusters: [{ cluster: this.settings.cluster, live, used: true, ...list }] }
  }

  /** The list of a snapshot, or that there is none. Never replaces what a node said. */
  loaded(turn: Turn, stored: StoredList | undefined): void {
    if (stored === undefined || this.source === 'registry') return
    this.stored = stored
    if (!this.sent) {
      // Shown to the node as the list to resume from; it is served only after the head start.
      const { verified } = this.mirror.replace(stored)
      if (!verified) this.mirror.replace({ sign: EMPTY_SIGN, instances: [] })
      else this.confirmedAt = turn.now - stored.ageMs
    }
    this.policy.saved(stored.instances)
    if (this.headStartAt === undefined) this.fallBack(turn)
  }

  /** A full view arrived. Returns whether its sum is right. */
  view(turn: Turn, view: View): boolean {
    const change = this.mirror.replace(view)
    const explained = this.overlay.explained(view.removes ?? [])
    const lost =
      this.source === 'registry' ? change : this.against(this.stored?.instances ?? [], change, view)
    this.follow(turn, 'view', lost, { guard: view.guard, stale: view.stale })
    this.settle(turn, change.verified)
    if (explained) this.choose(turn)
    return change.verified
  }

  /** A delta arrived. Returns whether the list now is what the node says. */
  delta(turn: Turn, delta: Delta): boolean {
    const change = this.mirror.apply(delta)
    const explained = this.overlay.explained(delta.removes)
    this.follow(turn, this.source === 'registry' ? 'delta' : 'view', change, {})
    this.settle(turn, change.verified)
    if (explained) this.choose(turn)
    return change.verified
  }

  /** The node holds the same list. */
  confirm(turn: Turn): void {
    if (this.source === 'registry') this.confirmedAt = turn.now
    else
      this.follow(
        turn,
        'view',
        this.against(this.stored?.instances ?? [], NO_CHANGE, { instances: this.mirror.instances }),
        {},
      )
    this.current = true
    this.mismatch = undefined
    this.vouched(turn)
  }

  /** Where an instance of the list is known from; nothing for one that is not listed. */
  origins(now: number, instance: Instance): readonly Origin[] {
    if (!this.shown.some((item) => instanceKey(item) === instanceKey(instance))) return []
    const { source, current: live, confirmedAt } = this
    const age = confirmedAt === undefined ? {} : { ageMs: now - confirmedAt }
    return [{ cluster: this.settings.cluster, source, live, ...age }]
  }

  /** Whether a registry lists this incarnation. */
  lists(instance: Instance): boolean {
    return this.mirror.get(instanceKey(instance))?.incarnation === instance.incarnation
  }

  /** The connection is gone: the list stays. */
  down(): void {
    this.overlay.pause()
    this.sent = false
    this.current = false
    this.resyncAt = undefined
    // Whoever chooses over several clusters sees that the connection is gone; what comes next is news.
    this.told = undefined
    this.mismatch = undefined
  }

  ready(turn: Turn, token: Token, timeoutMs: number): void {
    if (this.choice.candidates.length > 0) turn.emit({ type: 'resolve', token })
    else this.waiters.push({ token, deadline: turn.now + timeoutMs })
  }

  failed(turn: Turn, instance: Instance, kind: FailureKind): void {
    // As one of several it only keeps, and does not choose.
    if (this.settings.part) this.overlay.drop(instance, kind)
    else this.overlay.failed(turn.now, instance, kind)
    this.choose(turn)
  }

  trying(turn: Turn, instance: Instance): void {
    this.overlay.trying(turn.now, instance)
    this.choose(turn)
  }

  succeeded(turn: Turn, instance: Instance): void {
    if (this.overlay.succeeded(instance)) this.choose(turn)
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const { token } of this.waiters) turn.emit({ type: 'reject', token, error })
    this.waiters = []
  }

  /** Saves now what was to be saved soon: the process is about to end. */
  flush(turn: Turn): void {
    if (this.saveAt !== undefined) this.save(turn)
  }

  tick(turn: Turn, connected: boolean): void {
    const { now } = turn
    if (this.headStartAt !== undefined && now >= this.headStartAt) {
      this.headStartAt = undefined
      if (this.source === 'none') this.fallBack(turn)
    }
    if (this.chooseAt !== undefined && now >= this.chooseAt) this.choose(turn)
    if (this.saveAt !== undefined && now >= this.saveAt) this.save(turn)
    const expired = this.waiters.filter((waiter) => now >= waiter.deadline)
    if (expired.length === 0) return
    this.waiters = this.waiters.filter((waiter) => now < waiter.deadline)
    for (const { token } of expired) turn.emit({ type: 'reject', token, error: this.notReady(connected) })
  }

  deadline(): number | undefined {
    const waiters = earliestOf(this.waiters, (waiter) => waiter.deadline)
    return earliest(this.headStartAt, this.chooseAt, this.saveAt, this.resyncAt, waiters)
  }

  /** When to ask for the full view; each failure in a row waits longer, so that a broken peer is not hammered. */
  nextResync(turn: Turn): void {
    const { retryMsMax } = this.settings.times
    this.resyncAt = turn.now + Math.min(60_000, retryMsMax * 2 ** Math.min(this.resyncs, 10))
    this.resyncs += 1
  }

  /** Why there is nothing to call. */
  notReady(connected: boolean): RegistryError {
    const { service } = this.name
    if (this.source !== 'none') return nobodyError(service, this.shown)
    if (connected) return new RegistryError('timeout', `no registry told the instances of ${service} in time`)
    return new RegistryError('unreachable', `no registry, snapshot or static list knows ${service}`)
  }

  private fallBack(turn: Turn): void {
    if (this.source === 'registry' || this.source === 'snapshot') return
    const [source, list]: [ListSource, readonly Instance[]] =
      this.stored !== undefined && this.stored.instances.length > 0
        ? ['snapshot', this.stored.instances]
        : ['static', this.statics]
    if (list.length === 0) return
    if (source === 'snapshot') {
      const fields = { service: this.name.service, instances: list.length, ageMs: this.stored?.ageMs }
      turn.emit({
        type: 'log',
        level: 'warn',
        fields,
        message: 'no registry answered: going on with the snapshot',
      })
    }
    this.show(turn, source, list, { type: 'view', upserts: list, removes: [] })
  }

  /** Shows what the mirror holds. */
  private follow(
    turn: Turn,
    type: ListChange['type'],
    change: MirrorChange,
    extra: Pick<ListChange, 'guard' | 'stale'>,
  ): void {
    const first = this.source !== 'registry'
    this.confirmedAt = turn.now
    if (!first && change.upserts.length === 0 && change.removes.length === 0) return
    const { upserts, removes } = change
    this.policy.observe(change)
    this.stored = undefined
    const { instances } = this.mirror
    this.show(turn, 'registry', instances, { type, upserts: first ? instances : upserts, removes, ...extra })
    if (this.settings.snapshots) this.saveAt ??= turn.now + this.settings.times.saveMs
  }

  private settle(turn: Turn, verified: boolean): void {
    this.confirmedAt = turn.now
    this.current = verified
    if (!verified) return
    this.resyncs = 0
    this.resyncAt = undefined
    this.mismatch = undefined
    this.vouched(turn)
  }

  /** From now on time counts against the missing. */
  private vouched(turn: Turn): void {
    this.overlay.resume(turn.now)
    this.chooseAt = this.overlay.nextAt(turn.now)
    if (this.settings.part) this.tellStanding(turn)
  }

  /** The first view after a snapshot that never entered the mirror: what is missing was in the snapshot. */
  private against(
    before: readonly Instance[],
    change: MirrorChange,
    view: Pick<View, 'instances' | 'removes'>,
  ): MirrorChange {
    if (change.removes.length > 0 || before.length === 0) return change
    const mirror = new Mirror()
    mirror.replace({ sign: EMPTY_SIGN, instances: before })
    return { ...change, removes: mirror.replace({ ...view, sign: EMPTY_SIGN }).removes }
  }

  private show(
    turn: Turn,
    source: ListSource,
    list: readonly Instance[],
    how: Omit<ListChange, 'source' | 'sign' | 'instances'>,
  ): void {
    this.source = source
    this.shown = list
    const { sign } = this.mirror
    turn.emit({ type: 'list', key: this.key, change: { ...how, source, sign, instances: list } })
    // A static list is the overlay's last resort already.
    if (source === 'static') this.overlay.update(turn.now, [], { upserts: [], removes: [] })
    else this.overlay.update(turn.now, list, how)
    this.choose(turn)
  }

  private choose(turn: Turn): void {
    if (this.settings.part) return this.tellStanding(turn)
    const choice = this.overlay.choose(turn.now)
    this.chooseAt = this.overlay.nextAt(turn.now)
    this.tellGuard(turn)
    const before = this.choice
    if (
      choice.hopeless === before.hopeless &&
      same(choice.trials, before.trials) &&
      same(choice.spare, before.spare) &&
      same(choice.candidates, before.candidates)
    )
      return
    this.choice = choice
    turn.emit({ type: 'candidates', key: this.key, ...choice })
    if (choice.candidates.length === 0) return
    for (const { token } of this.waiters) turn.emit({ type: 'resolve', token })
    this.waiters = []
  }

  /** What there is to choose from; unchanged parts are the same objects as before. */
  private tellStanding(turn: Turn): void {
    this.overlay.expire(turn.now)
    this.chooseAt = this.overlay.nextAt(turn.now)
    this.tellGuard(turn)
    const { source, current: live, confirmedAt, shown: instances, statics } = this
    const { kept } = this.overlay
    const { told } = this
    const listed = told?.source === source && told.live === live && told.instances === instances
    if (listed && (told.kept === kept || told.kept.length + kept.length === 0)) return
    const { sign } = this.mirror
    this.told = {
      source,
      live,
      sign,
      instances,
      kept,
      statics,
      ...(confirmedAt === undefined ? {} : { confirmedAt }),
    }
    turn.emit({ type: 'standing', key: this.key, standing: this.told })
  }

  private tellGuard(turn: Turn): void {
    const kept = this.overlay.kept.length
    if (kept > 0 === this.guarding) return
    this.guarding = kept > 0
    const fields = { service: this.name.service, group: this.name.group, kept, listed: this.shown.length }
    turn.emit(
      this.guarding
        ? {
            type: 'log',
            level: 'warn',
            fields,
            message: 'most of a list vanished without a word: kept as a last resort',
          }
        : { type: 'log', level: 'info', fields, message: 'nobody is kept as a last resort any more' },
    )
  }

  private save(turn: Turn): void {
    this.saveAt = undefined
    const { instances, sign } = this.mirror
    // A list whose sum was wrong is about to be replaced, and is saved then.
    if (this.resyncAt !== undefined) return
    const at = this.policy.saveAt(turn.now, instances)
    if (at > turn.now) {
      this.saveAt = at
      return
    }
    this.policy.saved(instances)
    const stored = { sign, instances, ageMs: turn.now - (this.confirmedAt ?? turn.now) }
    const { cluster } = this.settings
    turn.emit({ type: 'saveSnapshot', cluster, key: this.key, name: this.name, stored })
  }
}

function same(a: readonly Instance[], b: readonly Instance[]): boolean {
  return a.length === b.length && a.every((instance, index) => instance === b[index])
}
