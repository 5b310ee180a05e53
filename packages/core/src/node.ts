/**
 * A node's rules put together: directory, registrar, liveness and publisher behind step functions that take
 * `now` and hand out effects (journal entries, probes). No I/O and no clock of its own.
 */
import {
  defined,
  type DeregisterResponse,
  type ErrorBody,
  type Explanation,
  type HeartbeatResponse,
  type NamespaceSettings,
  type ResolvedRef,
  type ServiceSettings,
  type Signature,
} from '@rollcall/wire'
import { eventOf } from './operators/change-events.js'
import { Declarations } from './operators/declarations.js'
import type { Cause, Change, Follower } from './directory/change.js'
import { Directory, type Entry, type ServiceNode } from './directory/directory.js'
import { type EventContext, EventLog } from './operators/event-log.js'
import { explain } from './operators/explain.js'
import { HistoryBudget } from './directory/history.js'
import { type HostRemoval, planHostRemoval } from './operators/host-removal.js'
import { Liveness } from './liveness/liveness.js'
import type { Notice } from './liveness/notices.js'
import { Verdicts } from './liveness/verdicts.js'
import { type Meter, NO_METER } from './metrics.js'
import type {
  JournalEntry,
  ProbeOutcome,
  ProbeRequest,
  RegisterCommand,
  Session,
  SessionOptions,
} from './ports.js'
import type { OverrideClearance, OverrideCommand, RestoreCommand } from './operator-ports.js'
import { type OverrideOutcome, Overrides } from './operators/overrides.js'
import type { NodeOptions } from './node-options.js'
import { Feed } from './publishing/feed.js'
import { Publisher } from './publishing/publisher.js'
import type { Declaration } from './records/declaration.js'
import { type Learnable, unlearnable, type Unlearnt } from './records/learnable.js'
import type { GoneContent, InstanceKey } from './records/record.js'
import type { Writer } from './records/register.js'
import { type Accepted, Registrar, type Source } from './admission/registrar.js'
import { Restorer, type RestoreOutcome } from './operators/restorer.js'
import { Services } from './directory/services.js'
import type { SessionEvidence, SessionKeeper } from './liveness/evidence.js'

/** Where effects go. Called synchronously while a step runs; must not call back into the node. */
export interface NodeEffects {
  readonly persist: (entry: JournalEntry) => void
  readonly probe: (request: ProbeRequest) => void
  /** Whether a probe of an address could be made at all. Default: any. */
  readonly mayProbe?: (host: string, peer: string | undefined) => boolean
  readonly meter?: Meter
  /** Dates events for people. Default: the epoch. */
  readonly wallNow?: () => number
}

const NOBODY: EventContext = {}

/** Another node, by whose word something was learnt. */
const ELSEWHERE: EventContext = { by: 'learnt' }

const LEARNT: Cause = { kind: 'learnt' }
/** The feed's share of the memory for recent changes. */
const FEED_SHARE = 0.25

/** Events in an explanation. */
const EXPLAINED_EVENTS = 20

export type RemovalLists = Omit<DeregisterResponse, 'durability'>

export class RegistryNode implements Follower {
  readonly directory: Directory
  readonly publisher: Publisher
  readonly feed: Feed
  readonly services: Services
  readonly overrides: Overrides
  readonly events: EventLog
  /** Services whose guard is tripped. */
  readonly guarded: Set<ServiceNode> = new Set()
  /** Zones in which the node doubts its ears. */
  readonly doubted: Set<string> = new Set()
  readonly liveness: Liveness
  private readonly registrar: Registrar
  private readonly restorer: Restorer
  private readonly effects: NodeEffects
  private readonly meter: Meter
  private readonly declarations: Declarations
  /** Who caused the present step. */
  private context: EventContext = NOBODY

  constructor(now: number, options: NodeOptions, effects: NodeEffects) {
    this.effects = effects
    this.meter = effects.meter ?? NO_METER
    this.events = new EventLog(options.nodeId, options.eventsMax, effects.wallNow ?? (() => 0))
    const { meter } = this
    const feedBytesMax = Math.floor(options.historyBytesMax * FEED_SHARE)
    this.directory = new Directory(
      new HistoryBudget(options.historyBytesMax - feedBytesMax),
      options.namespaces,
    )
    const { directory } = this
    this.feed = new Feed({ directory, meter }, { wallNow: effects.wallNow?.() ?? 0, bytesMax: feedBytesMax })
    const { nodeId } = options
    const { retentionMs } = options.liveness
    const writer: Writer = { nodeId, wallNow: effects.wallNow ?? (() => 0) }
    this.declarations = new Declarations(directory, writer, { servicesMax: options.servicesMax, retentionMs })
    const verdicts = new Verdicts(directory, options.nodeId)
    this.liveness = new Liveness(
      now,
      {
        directory,
        verdicts,
        meter,
        probe: effects.probe,
        mayProbe: effects.mayProbe ?? (() => true),
        notify: (notice) => this.noticed(notice),
      },
      options.liveness,
    )
    const { liveness } = this
    this.registrar = new Registrar({ directory, liveness }, options)
    const { registrar } = this
    this.overrides = new Overrides(directory, writer, retentionMs)
    this.restorer = new Restorer(
      { directory, verdicts, registrar },
      { nodeId: options.nodeId, batchItemsMax: options.limits.batchItemsMax },
    )
    this.publisher = new Publisher({ directory, liveness, meter, stale: () => false }, options.publisher)
    // Liveness comes last: a registration that comes back too often is doubted at once, and that is a second change.
    directory.follow(this.feed, this, this.overrides, this.declarations, this.publisher, liveness)
    this.services = new Services(directory)
  }

  /** Takes in what the journal kept, all of which this node judges from now on. Call before anything else. */
  load(entries: Iterable<JournalEntry>, now: number): void {
    const { directory } = this
    directory.unfollowed(() => {
      for (const entry of entries) this.take(entry, now)
    })
    for (const declaration of directory.declarations()) this.declarations.declared(declaration, now)
    for (const entry of directory.entries()) {
      this.liveness.observe(entry, true, now)
      this.overrides.noted(entry, now)
    }
    this.feed.restart()
  }

  /**
   * Takes in what another replica of the registry says, at any time, in any order and as often as it comes: the engine
   * does that for the nodes of a cluster. It is merged and followed like every change, but it is no evidence: nothing
   * counts as heard by it, and what another node judges is not judged here. Returns what was refused; that changed
   * nothing.
   */
  learn(entries: Iterable<Learnable>, now: number): readonly Unlearnt[] {
    this.context = ELSEWHERE
    const refused: Unlearnt[] = []
    for (const entry of entries) {
      const error = unlearnable(entry)
      if (error === undefined) this.take(entry, now)
      else refused.push({ entry, error })
    }
    this.context = NOBODY
    return refused
  }

  /** Current durable state, as entries a journal can snapshot. */
  *snapshot(): IterableIterator<JournalEntry> {
    yield* this.directory.declarations()
    for (const { record } of this.directory.entries()) yield { kind: 'record', record }
  }

  /** Looks at whatever is due. Call every TICK_MS. */
  tick(now: number): void {
    this.begin()
    this.overrides.tick(now)
    this.declarations.tick(now)
    this.liveness.tick(now)
  }

  override(command: OverrideCommand, now: number, peer?: string): readonly OverrideOutcome[] | ErrorBody {
    this.begin(peer)
    return this.overrides.put(command, now)
  }

  clearOverrides(
    clearance: OverrideClearance,
    now: number,
    peer?: string,
  ): readonly OverrideOutcome[] | ErrorBody {
    this.begin(peer)
    return this.overrides.clear(clearance, now)
  }

  /** Brings back what left by mistake, or says what that would be. */
  restore(command: RestoreCommand, now: number, peer?: string): RestoreOutcome | ErrorBody {
    this.begin(peer)
    const { by, why } = command
    this.context = { peer, ...(by === undefined ? {} : { by }), ...(why === undefined ? {} : { why }) }
    const outcome = this.restorer.restore(command, now)
    this.context = NOBODY
    return outcome
  }

  /** Why an instance is, or is not, in the list; undefined for one this node does not know (any more). */
  explain(key: InstanceKey, now: number): Explanation | undefined {
    const entry = this.directory.entry(key)
    if (entry === undefined) return undefined
    const { namespace, service, group, id } = key
    const { events } = this.events.query({ namespace, service, group, id, limit: EXPLAINED_EVENTS })
    const inspection = this.liveness.inspect(entry, now)
    const freezes = this.directory.freezes.over(namespace, now)
    const guard = this.liveness.guardOf(entry.service)
    return explain(
      entry,
      { inspection, guard, freezes, remainingMs: this.overrides.remainingMs(entry, now), events },
      now,
    )
  }

  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    this.begin()
    this.liveness.probed(request, outcome, now)
  }

  register(command: RegisterCommand, source: Source, now: number, wallNow: number): Accepted {
    this.begin(source.peer)
    const accepted = this.registrar.register(command, source, now, wallNow)
    this.meter.count('rollcall_registrations_total', 1, accepted.ok ? 'ok' : accepted.error.code)
    return accepted
  }

  heartbeat(refs: readonly ResolvedRef[], now: number): HeartbeatResponse {
    this.begin()
    const unknown: ResolvedRef[] = []
    const deregistered: ResolvedRef[] = []
    const superseded: ResolvedRef[] = []
    for (const ref of refs) {
      const outcome = this.registrar.heartbeat(ref, now)
      if (outcome === 'unknown') unknown.push(ref)
      else if (outcome === 'deregistered') deregistered.push(ref)
      else if (outcome === 'superseded') superseded.push(ref)
    }
    this.meter.count('rollcall_heartbeats_total', refs.length)
    return { unknown, deregistered, superseded }
  }

  /** Consumers could not reach these: those that are still the same incarnation are asked. */
  hint(refs: readonly ResolvedRef[], now: number): void {
    this.begin()
    for (const ref of refs) {
      const entry = this.directory.entry(ref)
      if (entry === undefined || (ref.incarnation ?? entry.record.incarnation) !== entry.record.incarnation)
        continue
      this.liveness.hint(entry, now)
    }
  }

  deregister(
    refs: readonly ResolvedRef[],
    by: GoneContent['by'],
    now: number,
    caller?: Session,
    peer?: string,
  ): RemovalLists {
    this.begin(peer)
    const removed: ResolvedRef[] = []
    const unknown: ResolvedRef[] = []
    const superseded: ResolvedRef[] = []
    for (const ref of refs) {
      const outcome = this.registrar.deregister(ref, by, now, caller)
      if (outcome === 'removed') removed.push(ref)
      else if (outcome === 'superseded') superseded.push(ref)
      else unknown.push(ref)
    }
    this.meter.count('rollcall_deregistrations_total', removed.length)
    return { removed, unknown, superseded }
  }

  /** Deregisters everything on a host, or says what needs confirming and changes nothing. */
  deregisterHost(request: HostRemoval, now: number, peer?: string): RemovalLists | ErrorBody {
    const plan = planHostRemoval(this.directory, request)
    if ('code' in plan) return plan
    return this.deregister(plan, 'host', now, undefined, peer)
  }

  openSession(id: string, now: number, options: SessionOptions, keeper: SessionKeeper): SessionEvidence {
    return this.liveness.openSession(id, now, options, keeper)
  }

  heardSession(session: SessionEvidence, now: number): void {
    this.begin()
    this.liveness.heardSession(session, now)
  }

  closeSession(session: SessionEvidence, now: number): void {
    this.begin()
    this.liveness.closeSession(session, now)
  }

  namespaceSettings(namespace: string): NamespaceSettings | undefined {
    return this.directory.namespaceSettings.get(namespace)
  }

  /** Declares a service (settings) or takes the declaration back (null). */
  declare(
    namespace: string,
    service: string,
    settings: ServiceSettings | null,
    now: number,
    peer?: string,
  ): ErrorBody | undefined {
    this.begin(peer)
    return this.declarations.declareService(namespace, service, settings, now)
  }

  declareNamespace(
    namespace: string,
    settings: NamespaceSettings | null,
    now: number,
    peer?: string,
  ): ErrorBody | undefined {
    this.begin(peer)
    return this.declarations.declareNamespace(namespace, settings, now)
  }

  /** Freezes a namespace (or all, `*`), or says why that cannot be. */
  freeze(namespace: string, signature: Signature, now: number, peer?: string): ErrorBody | undefined {
    this.begin(peer)
    return this.declarations.freeze(namespace, signature, now)
  }

  /** Ends the freeze of this very name; false when there was none. */
  unfreeze(namespace: string, signature: Signature, now: number, peer?: string): boolean {
    this.begin(peer)
    return this.declarations.unfreeze(namespace, signature, now)
  }

  private take(entry: JournalEntry, now: number): void {
    if (entry.kind === 'record') this.directory.propose(entry.record, LEARNT, now)
    else if (entry.kind === 'forget') {
      const found = this.directory.entry(entry.key)
      if (found !== undefined && found.state === null && found.record.incarnation === entry.incarnation)
        this.directory.forget(found)
    } else this.directory.declare(entry, now)
  }

  private begin(peer?: string): void {
    if (this.context.peer !== peer) this.context = peer === undefined ? NOBODY : { peer }
  }

  private noticed(notice: Notice): void {
    if (notice.kind === 'stall') {
      this.events.record('stall', { lateMs: notice.lateMs }, NOBODY)
    } else if (notice.kind === 'watcher_doubt') {
      if (notice.doubting) this.doubted.add(notice.zone)
      else this.doubted.delete(notice.zone)
      this.events.record(notice.doubting ? 'guard_tripped' : 'guard_released', { zone: notice.zone }, NOBODY)
    } else {
      const { service: node, tripped } = notice
      if (tripped) this.guarded.add(node)
      else this.guarded.delete(node)
      const subject = { namespace: node.namespace, service: node.service }
      this.events.record(tripped ? 'guard_tripped' : 'guard_released', { subject }, NOBODY)
    }
  }

  /** Follows each change of a record into journal, events and figures. */
  changed(change: Change): void {
    this.effects.persist({ kind: 'record', record: change.entry.record })
    const event = eventOf(change)
    if (event !== undefined) this.events.record(event[0], event[1], this.context)
    if (change.visible && change.before !== change.after)
      this.meter.count('rollcall_transitions_total', 1, change.after ?? 'hidden')
  }

  /** Follows a declaration into journal and events. */
  declared(declaration: Declaration): void {
    this.effects.persist(declaration)
    const { kind, namespace, register } = declaration
    const stands = register.value !== null
    const event = kind === 'freeze' ? (stands ? 'frozen' : 'unfrozen') : stands ? 'declared' : 'undeclared'
    const subject = kind === 'service' ? { namespace, service: declaration.service } : { namespace }
    const { by, why } = register
    this.events.record(event, { subject, ...defined({ by, why }) }, this.context)
  }

  forgotten(entry: Entry): void {
    const { namespace, service, group, id, incarnation } = entry.record
    this.effects.persist({ kind: 'forget', key: { namespace, service, group, id }, incarnation })
  }
}
