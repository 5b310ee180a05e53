/** One watched view as one cluster tells it: by its nodes, by a snapshot, or by a static list. */
import type { Delta, Instance, View, ViewName } from '@rollcall/wire'
import { EMPTY_SIGN } from '@rollcall/wire'
import { earliest } from '../machine/deadlines.js'
import type { FailureKind, ListChange, ListSource, StoredList } from '../machine/events.js'
import { instanceKey, samePeer, viewKey } from '../machine/keys.js'
import type { MachineSettings } from '../machine/settings.js'
import type { ClusterList, ClusterTurn } from './events.js'
import type { MirrorChange } from './mirror.js'
import { Mirror } from './mirror.js'
import { SavePolicy } from './saving.js'
import { ShrinkGuard } from './shrink-guard.js'

const NO_CHANGE: MirrorChange = { upserts: [], removes: [], verified: true }

/** Longest wait before the full view is asked for again. */
const RESYNC_MS_MAX = 60_000

/** The mirror of a view, what is shown of it and what is kept of it on disk. */
export class MirroredList {
  readonly key: string
  readonly name: ViewName
  private readonly settings: MachineSettings
  private readonly mirror = new Mirror()
  private readonly guard: ShrinkGuard
  private readonly statics: readonly Instance[]
  private readonly policy: SavePolicy
  private shown: readonly Instance[] = []
  private source: ListSource = 'none'
  private told: ClusterList | undefined
  private headStartAt: number | undefined
  private stored: StoredList | undefined
  private confirmedAt: number | undefined
  private saveAt: number | undefined
  private expireAt: number | undefined
  private guarding = false
  private resyncs = 0
  /** Announced on the current connection. */
  sent = false
  /** Fresh from a node on the current connection. */
  current = false
  /** Its node is shown the sums of its parts: until the answer it need not add up. */
  comparing = false
  /** A full view was asked for and has not come; ask again then. */
  resyncAt: number | undefined
  /** The node said at the last comparison that this sign differs from its own. */
  mismatch: string | undefined

  constructor(turn: ClusterTurn, settings: MachineSettings, name: ViewName) {
    this.key = viewKey(name)
    this.name = name
    this.settings = settings
    this.statics = settings.statics.get(this.key) ?? []
    this.guard = new ShrinkGuard(settings.choice)
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

  /** The sums of so many parts of what is held. */
  sumsOf(parts: number): string {
    return this.mirror.sumsOf(parts)
  }

  /** The list of a snapshot, or that there is none. Never replaces what a node said. */
  loaded(turn: ClusterTurn, stored: StoredList | undefined): void {
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
  view(turn: ClusterTurn, view: View): boolean {
    const change = this.mirror.replace(view)
    const lost =
      this.source === 'registry' ? change : this.against(this.stored?.instances ?? [], change, view)
    this.guard.explained(view.removes ?? [])
    this.follow(turn, 'view', lost, { guard: view.guard, stale: view.stale })
    return change.verified
  }

  /** A delta arrived. Returns whether the list now is what the node says. */
  delta(turn: ClusterTurn, delta: Delta): boolean {
    const change = this.mirror.apply(delta)
    this.guard.explained(delta.removes)
    this.follow(turn, this.source === 'registry' ? 'delta' : 'view', change, {})
    return change.verified
  }

  /** The node holds the same list. */
  confirm(turn: ClusterTurn): void {
    const change =
      this.source === 'registry'
        ? NO_CHANGE
        : this.against(this.stored?.instances ?? [], NO_CHANGE, { instances: this.mirror.instances })
    this.follow(turn, 'view', change, {})
  }

  /** Whether a registry lists this incarnation. */
  lists(instance: Instance): boolean {
    return this.mirror.get(instanceKey(instance))?.incarnation === instance.incarnation
  }

  /** The connection is gone: the list stays. What comes on the next connection is news. */
  down(turn: ClusterTurn): void {
    // The stream vouched for it until now.
    if (this.current) this.confirmedAt = turn.now
    this.guard.pause()
    this.sent = false
    this.current = false
    this.comparing = false
    this.resyncAt = undefined
    this.told = undefined
    this.mismatch = undefined
  }

  /** A call failed. One that is only kept as a last resort is let go of; others stay listed. */
  failed(turn: ClusterTurn, instance: Instance, kind: FailureKind): void {
    const key = instanceKey(instance)
    const isKept = this.guard.kept.some((item) => instanceKey(item) === key && samePeer(item, instance))
    if (!isKept || kind === 'failure') return
    this.guard.drop(instance)
    this.tell(turn)
  }

  /** Saves now what was to be saved soon: the process is about to end. */
  flush(turn: ClusterTurn): void {
    if (this.saveAt !== undefined) this.save(turn)
  }

  tick(turn: ClusterTurn): void {
    const { now } = turn
    if (this.headStartAt !== undefined && now >= this.headStartAt) {
      this.headStartAt = undefined
      if (this.source === 'none') this.fallBack(turn)
    }
    if (this.expireAt !== undefined && now >= this.expireAt) this.tell(turn)
    if (this.saveAt !== undefined && now >= this.saveAt) this.save(turn)
  }

  deadline(): number | undefined {
    return earliest(this.headStartAt, this.expireAt, this.saveAt, this.resyncAt)
  }

  /** When to ask for the full view; each failure in a row waits longer, so that a broken peer is not hammered. */
  nextResync(turn: ClusterTurn): void {
    const { retryMsMax } = this.settings.times
    this.resyncAt = turn.now + Math.min(RESYNC_MS_MAX, retryMsMax * 2 ** Math.min(this.resyncs, 10))
    this.resyncs += 1
  }

  private fallBack(turn: ClusterTurn): void {
    if (this.source === 'registry' || this.source === 'snapshot') return
    const [source, list]: [ListSource, readonly Instance[]] =
      this.stored !== undefined && this.stored.instances.length > 0
        ? ['snapshot', this.stored.instances]
        : ['static', this.statics]
    if (list.length === 0) return
    if (source === 'snapshot') {
      const fields = { service: this.name.service, instances: list.length, ageMs: this.stored?.ageMs }
      const message = 'no registry answered: going on with the snapshot'
      turn.emit({ type: 'log', level: 'warn', fields, message })
    }
    this.show(turn, source, list, { type: 'view', upserts: list, removes: [] })
  }

  /** Shows what the mirror holds, if it changed; a list whose sum is right is vouched for from now on. */
  private follow(
    turn: ClusterTurn,
    type: ListChange['type'],
    change: MirrorChange,
    extra: Pick<ListChange, 'guard' | 'stale'>,
  ): void {
    const first = this.source !== 'registry'
    this.confirmedAt = turn.now
    this.current = change.verified
    if (change.verified) {
      this.resyncs = 0
      this.resyncAt = undefined
      this.mismatch = undefined
    }
    const { upserts, removes } = change
    if (first || upserts.length > 0 || removes.length > 0) {
      this.policy.observe(change)
      this.stored = undefined
      const { instances } = this.mirror
      this.show(turn, 'registry', instances, {
        type,
        upserts: first ? instances : upserts,
        removes,
        ...extra,
      })
      if (this.settings.snapshots) this.saveAt ??= turn.now + this.settings.times.saveMs
    } else if (extra.stale !== undefined) {
      // The same list, of which its node thinks otherwise.
      this.show(turn, 'registry', this.shown, { type, upserts, removes, ...extra })
    }
    // From now on time counts against the missing.
    if (change.verified) this.guard.resume(turn.now)
    this.tell(turn)
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
    turn: ClusterTurn,
    source: ListSource,
    instances: readonly Instance[],
    how: Omit<ListChange, 'source' | 'sign' | 'instances'>,
  ): void {
    this.source = source
    this.shown = instances
    // A static list is a last resort already.
    this.guard.update(turn.now, source === 'static' ? { upserts: [], removes: [] } : how)
    this.tell(turn, { ...how, source, sign: this.mirror.sign, instances })
  }

  /** Tells where the list stands, if that is not where it was told to stand before. */
  private tell(turn: ClusterTurn, change?: ListChange): void {
    this.guard.expire(turn.now)
    this.expireAt = this.guard.nextAt()
    this.logGuard(turn)
    const { source, current: live, confirmedAt, shown: instances, statics, told, key } = this
    const { kept } = this.guard
    const same = told?.source === source && told.live === live && told.instances === instances
    if (change === undefined && same && (told.kept === kept || told.kept.length + kept.length === 0)) return
    const list = { source, live, sign: this.mirror.sign, instances, kept, statics }
    this.told = confirmedAt === undefined ? list : { ...list, confirmedAt }
    turn.emit({ type: 'list', key, list: this.told, ...(change === undefined ? {} : { change }) })
  }

  private logGuard(turn: ClusterTurn): void {
    const kept = this.guard.kept.length
    if (kept > 0 === this.guarding) return
    this.guarding = kept > 0
    const fields = { service: this.name.service, group: this.name.group, kept, listed: this.shown.length }
    const [level, message] = this.guarding
      ? (['warn', 'most of a list vanished without a word: kept as a last resort'] as const)
      : (['info', 'nothing is kept as a last resort any more'] as const)
    turn.emit({ type: 'log', level, fields, message })
  }

  private save(turn: ClusterTurn): void {
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
    const { cluster } = this.settings
    const ageMs = this.current ? 0 : Math.round(turn.now - (this.confirmedAt ?? turn.now))
    const stored = { sign, instances, ageMs }
    turn.emit({ type: 'saveSnapshot', cluster, key: this.key, name: this.name, stored })
  }
}
