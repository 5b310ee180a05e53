/**
 * A node's rules put together, as step functions: commands, beats, probe outcomes and ticks go in with the time, and
 * effects come out (journal entries, probes). No I/O and no clock of its own.
 */
import {
  DEFAULTS,
  type ErrorBody,
  type HeartbeatResponse,
  type ResolvedRef,
  type Signature,
} from '@rollcall/wire'
import { IncarnationBound } from './admission/incarnation-bound.js'
import { partsOf } from './admission/parts.js'
import { Registrar } from './admission/registrar.js'
import { createBudgets, type NodeBudgets } from './budgets/node-budgets.js'
import type { Step } from './caller.js'
import { Adoption } from './cluster/adoption.js'
import { join, type Joined, takeovers } from './cluster/joined.js'
import type { Answers, Command, CommandKind, CommandOf, Commands } from './commands.js'
import type { Cause } from './directory/change.js'
import { Directory, type Entry } from './directory/directory.js'
import { HistoryBudget } from './directory/history.js'
import { ListingRoom } from './directory/listing-room.js'
import { Services } from './directory/services.js'
import { LivenessRules } from './liveness/liveness.js'
import { isSameTarget } from './liveness/question.js'
import { Verdicts } from './liveness/verdicts.js'
import { NO_METER } from './metrics.js'
import { isRecordOf, journalOf, recordEntry } from './journal-entries.js'
import type { NodeOptions } from './node-options.js'
import { Chronicle } from './operators/chronicle.js'
import { Declarations } from './operators/declarations.js'
import { EventLog } from './operators/event-log.js'
import { planHostRemoval } from './operators/host-removal.js'
import { Hosts } from './operators/hosts.js'
import { Overrides } from './operators/overrides.js'
import { Restorer } from './operators/restorer.js'
import { checkSignature } from './operators/signature.js'
import type { NodeEffects } from './node-effects.js'
import type { HeardRef, JournalEntry, PassUnreachable, ProbeOutcome, ProbeRequest } from './ports.js'
import { Feed } from './publishing/feed.js'
import type { NodeHealth } from './publishing/node-health.js'
import { Publisher } from './publishing/publisher.js'
import { Views } from './publishing/views.js'
import { type Learnable, unlearnable, type Unlearnt } from './records/learnable.js'
import type { InstanceKey, StoredRecord } from './records/record.js'
import type { Writer } from './records/register.js'

/** Another node, by whose word something was learnt. */
const ELSEWHERE: Signature = { by: 'learnt' }

const LEARNT: Cause = { kind: 'learnt' }

const NOTHING_REFUSED: readonly Unlearnt[] = []

/** The feed's share of the memory for recent changes. */
const FEED_SHARE = 0.25

/** How the command of each kind is done. */
type Executors = {
  readonly [K in CommandKind]: (command: Commands[K], step: Step) => Answers[K] | ErrorBody
}

export class RegistryNode {
  readonly budgets: NodeBudgets
  readonly directory: Directory
  readonly liveness: LivenessRules
  readonly overrides: Overrides
  readonly events: EventLog
  readonly views: Views
  readonly publisher: Publisher
  readonly services: Services
  readonly feed: Feed
  readonly hosts: Hosts = new Hosts()
  readonly adoption: Adoption
  /** Undefined for a node by itself. */
  readonly joined: Joined | undefined
  /** The history of the engine that it was joined to last. */
  epoch: string | undefined
  private readonly incarnationBound: IncarnationBound
  private readonly registrar: Registrar
  private readonly restorer: Restorer
  private readonly declarations: Declarations
  private readonly chronicle: Chronicle
  /** When a node that began with nothing may be believed in what it does not list. */
  private grownAt = Infinity
  private readonly persist: (entry: JournalEntry) => void
  private readonly passUnreachable: PassUnreachable | undefined

  constructor(now: number, options: NodeOptions, effects: NodeEffects) {
    const { nodeId } = options
    this.persist = effects.persist
    this.passUnreachable = effects.passUnreachable
    const meter = effects.meter ?? NO_METER
    const { retentionMs } = options.liveness
    const wallNow = effects.wallNow ?? (() => 0)
    const writer: Writer = { nodeId, wallNow }
    const feedBytesMax = Math.floor(options.historyBytesMax * FEED_SHARE)
    this.budgets = createBudgets(options, meter)
    const directory = new Directory(
      new HistoryBudget(options.historyBytesMax - feedBytesMax),
      this.budgets,
      options.namespaces,
    )
    const verdicts = new Verdicts(directory, nodeId)
    this.directory = directory
    this.events = new EventLog(nodeId, options.eventsMax, wallNow)
    this.chronicle = new Chronicle(this.events, meter, effects.noticed)
    this.liveness = new LivenessRules(
      now,
      {
        directory,
        verdicts,
        meter,
        probe: effects.probe,
        mayProbe: effects.mayProbe ?? (() => true),
        passOn: effects.passOn,
        consult: effects.consult,
        notify: (notice) => this.chronicle.noticed(notice),
      },
      options.liveness,
    )
    const { liveness } = this
    this.incarnationBound = new IncarnationBound(options.releasedAt, wallNow)
    const { incarnationBound } = this
    const room = new ListingRoom(directory.listing, meter, options)
    this.registrar = new Registrar({ directory, room, liveness, meter, incarnationBound }, options)
    const { registrar } = this
    this.overrides = new Overrides(directory, writer, retentionMs)
    this.restorer = new Restorer(
      { directory, verdicts, registrar },
      { nodeId, batchItemsMax: options.limits.batchItemsMax },
    )
    this.declarations = new Declarations({ directory, room, writer, meter }, { ...options, retentionMs })
    this.views = new Views(directory, liveness)
    this.feed = new Feed({ directory, meter }, { wallNow: wallNow(), bytesMax: feedBytesMax })
    this.publisher = new Publisher(
      { directory, views: this.views, meter, budgets: this.budgets },
      options.publisher,
    )
    // Liveness comes last: a registration that comes back too often is doubted at once, and that is a second change.
    this.services = new Services(directory)
    const { feed, chronicle, hosts, overrides, declarations, publisher } = this
    this.adoption = new Adoption({ directory, liveness, nodeId })
    const learn = (entry: Learnable, at: number): void => void this.learn([entry], at)
    this.joined = options.joined ? join({ directory, liveness, learn }, options.liveness) : undefined
    const journal = journalOf(effects.persist, liveness)
    const behind = this.joined === undefined ? [] : [this.joined.replica, takeovers(nodeId, effects.tookOver)]
    const followers = [feed, journal, ...behind, chronicle, hosts, overrides, declarations, publisher]
    // Who is next for an id is told of what liveness thinks of it.
    directory.follow(...followers, liveness, liveness.sessions.line, this.adoption)
  }

  // ---- durable state ---------------------------------------------------------------------------------------

  /**
   * Takes in what the journal kept. A node that is not joined with others judges all of it from now on. Call before
   * anything else. Where that is nothing, lists are stale for a lease: what lives has to come first. Returns what was refused, because no number of
   * this release could exceed it; that changed nothing.
   */
  load(entries: Iterable<JournalEntry>, now: number): readonly Unlearnt[] {
    const { directory } = this
    const connected = new Map<Entry, StoredRecord>()
    const refused: Unlearnt[] = []
    directory.unfollowed(() => {
      for (const entry of entries) {
        refused.push(...this.take(entry, now))
        if (entry.kind !== 'record' || entry.baseline !== true) continue
        const held = directory.entry(entry.record)
        if (held !== undefined) connected.set(held, entry.record)
      }
    })
    for (const declaration of directory.declarations()) this.declarations.declared(declaration, now)
    for (const entry of directory.entries()) {
      const { record } = entry
      const reached = connected.get(entry)
      this.liveness.load(entry, reached !== undefined && isSameTarget(reached, record), now)
      this.overrides.noted(entry, now)
      this.hosts.noted(entry)
      this.adoption.noted(entry, now)
      this.incarnationBound.loaded(record.incarnation)
    }
    this.feed.restart()
    if (directory.records === 0) {
      this.views.young = true
      this.grownAt = now + DEFAULTS.leaseMs
    }
    return refused
  }

  /**
   * Takes in what another replica of the registry says, at any time, in any order and as often as it comes: the engine
   * does that for the nodes of a cluster. It is merged and followed like every change, but it is no evidence: nothing
   * counts as heard by it, and what another node judges is not judged here. Returns what was refused; that changed
   * nothing.
   */
  learn(entries: Iterable<Learnable>, now: number): readonly Unlearnt[] {
    this.chronicle.begin(undefined, ELSEWHERE)
    try {
      const refused: Unlearnt[] = []
      for (const entry of entries) refused.push(...this.take(entry, now))
      return refused
    } finally {
      this.chronicle.begin()
    }
  }

  /** The node fares otherwise from now on: views, pings and readiness say so, and subscribers are told what they watch. */
  fare(health: NodeHealth, now: number): void {
    const { stale } = this.views
    this.views.health = health
    this.liveness.isolate(health.island, now)
    this.adoption.isolate(health.island, now)
    this.joined?.replica.isolate(health.island, now)
    if (this.views.stale !== stale) this.publisher.restate()
  }

  /** By now, what lives has had a lease to say so. */
  private grown(): void {
    const { stale } = this.views
    this.grownAt = Infinity
    this.views.young = false
    if (this.views.stale !== stale) this.publisher.restate()
  }

  /** The node has what its peers have: no list lacks what lives for being young. */
  completed(): void {
    if (this.directory.records > 0) this.grown()
  }

  /** From now on its state belongs to this history of the engine. */
  enter(epoch: string): void {
    if (this.epoch === epoch) return
    this.epoch = epoch
    this.persist({ kind: 'epoch', epoch })
  }

  /** Current durable state, as entries a journal can snapshot. */
  *snapshot(): IterableIterator<JournalEntry> {
    if (this.epoch !== undefined) yield { kind: 'epoch', epoch: this.epoch }
    yield* this.directory.declarations()
    for (const entry of this.directory.entries()) yield recordEntry({ entry }, this.liveness)
  }

  private take(entry: JournalEntry, now: number): readonly Unlearnt[] {
    if (entry.kind === 'epoch') {
      this.epoch = entry.epoch
      return NOTHING_REFUSED
    }
    if (entry.kind === 'forget') {
      const found = this.directory.entry(entry.key)
      if (found !== undefined && found.state === null && found.record.incarnation === entry.incarnation)
        this.directory.forget(found)
      return NOTHING_REFUSED
    }
    const error = unlearnable(entry)
    if (error !== undefined) return [{ entry, error }]
    if (entry.kind === 'record') this.directory.propose(entry.record, LEARNT, now)
    else this.directory.declare(entry, now)
    return NOTHING_REFUSED
  }

  /**
   * The records of the items that a command names, as they are held, without those that it wrote itself: these stand in
   * `written` in the order of the items.
   */
  *held(command: Command, written: readonly JournalEntry[]): IterableIterator<StoredRecord> {
    const items: readonly InstanceKey[] =
      'items' in command ? command.items : 'refs' in command ? command.refs : []
    let place = 0
    for (const item of items) {
      const before = place
      while (isRecordOf(written[place], item)) place++
      if (place > before) continue
      const entry = this.directory.entry(item)
      if (entry !== undefined) yield entry.record
    }
  }

  // ---- steps -----------------------------------------------------------------------------------------------

  /** Does what changes the registry; an ErrorBody where the command as a whole is refused, and nothing was done. */
  execute<K extends CommandKind>(command: CommandOf<K>, step: Step): Answers[K] | ErrorBody {
    // Only some kinds are signed; of the others there is nothing to be taken.
    const signature = command as Signature
    const error = checkSignature(signature)
    if (error !== undefined) return error
    this.chronicle.begin(step.caller, signature)
    try {
      return this.executors[command.kind](command, step)
    } finally {
      // What follows later is the node's own doing.
      this.chronicle.begin()
    }
  }

  /**
   * The command in parts of at most `size` items, which `execute` does one after the other, or why it is refused as a
   * whole; one that is no list, or a short one, is a single part.
   */
  parts<K extends CommandKind>(command: CommandOf<K>, size: number): readonly CommandOf<K>[] | ErrorBody {
    const planned = this.planned(command as Command)
    // A part is of the kind of the whole.
    return 'code' in planned ? planned : (partsOf(planned, size) as readonly unknown[] as CommandOf<K>[])
  }

  /** The command with what it takes, where that has to be found out. */
  private planned(command: Command): Command | ErrorBody {
    if (command.kind !== 'deregisterHost' || command.refs !== undefined) return command
    const refs = planHostRemoval(this, command)
    return 'code' in refs ? refs : { ...command, refs }
  }

  private readonly executors: Executors = {
    register: ({ items }, step) => this.registrar.registerAll(items, step),
    deregister: (removal, step) => {
      const by = removal.by === undefined && removal.why === undefined ? 'provider' : 'operator'
      return this.registrar.deregisterAll(removal.refs, by, step)
    },
    deregisterHost: (removal, step) => {
      const plan = removal.refs ?? planHostRemoval(this, removal)
      return 'code' in plan ? plan : this.registrar.deregisterAll(plan, 'host', step)
    },
    override: (command, { now }) => this.overrides.put(command, now),
    clearOverrides: (command, { now }) => this.overrides.clear(command, now),
    restore: (command, { now }) => this.restorer.restore(command, now),
    freeze: (command, { now }) => this.declarations.freeze(command, now),
    unfreeze: (command, { now }) => this.declarations.unfreeze(command, now),
    declareService: (command, { now, caller }) => this.declarations.declareService(command, now, caller.peer),
    declareNamespace: (command, { now, caller }) =>
      this.declarations.declareNamespace(command, now, caller.peer),
    keepValue: (command, { now, caller }) => this.declarations.keepValue(command, now, caller.peer),
  }

  /** Takes beats. What follows from them is the node's own judgement. */
  heard(refs: readonly ResolvedRef[], now: number): HeartbeatResponse {
    return this.registrar.heard(refs, now)
  }

  /** Another node heard these, at most `agoMs` before it said so: evidence of that moment for what is judged here. */
  heardElsewhere(refs: readonly HeardRef[], agoMs: number, now: number): void {
    for (const ref of refs) {
      const entry = this.directory.entry(ref)
      if (entry !== undefined) this.liveness.told(entry, ref.incarnation, Math.max(0, agoMs), now)
    }
  }

  /** Consumers could not reach these: those that are still the same incarnation are asked, by the node that judges them. */
  unreachable(refs: readonly ResolvedRef[], now: number): void {
    const judgedElsewhere = new Map<string, HeardRef[]>()
    for (const entry of this.present(refs)) {
      const judge = this.liveness.hint(entry, now)
      if (judge === undefined) continue
      const { namespace, service, group, id, incarnation } = entry.record
      const ref = { namespace, service, group, id, incarnation }
      const passed = judgedElsewhere.get(judge)
      if (passed === undefined) judgedElsewhere.set(judge, [ref])
      else passed.push(ref)
    }
    for (const [judge, passed] of judgedElsewhere) this.passUnreachable?.(judge, passed)
  }

  /** Consumers of another node could not reach these. What is not judged here goes no further: nodes could disagree for long. */
  unreachableElsewhere(refs: readonly HeardRef[], now: number): void {
    for (const entry of this.present(refs)) this.liveness.hint(entry, now)
  }

  /** Those that are still the incarnation that is meant. */
  private *present(refs: readonly ResolvedRef[]): Generator<Entry> {
    for (const ref of refs) {
      const entry = this.directory.entry(ref)
      if (entry !== undefined && (ref.incarnation ?? entry.record.incarnation) === entry.record.incarnation)
        yield entry
    }
  }

  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    this.liveness.probed(request, outcome, now)
  }

  /** What was found by a probe that this node made on behalf of others, `agoMs` after it was asked for. */
  witnessed(request: ProbeRequest, outcome: ProbeOutcome, agoMs: number, now: number): void {
    this.liveness.witnessed(request, outcome, agoMs, now)
  }

  /** What another node answered that was asked to probe; after an answer in time, one more says nothing. */
  consulted(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    this.liveness.consulted(request, outcome, now)
  }

  /** Looks at whatever is due. Call every TICK_MS. */
  tick(now: number): void {
    if (now >= this.grownAt) this.grown()
    this.overrides.tick(now)
    this.declarations.tick(now)
    this.liveness.tick(now)
    this.adoption.tick(now)
    this.joined?.replica.tick(now)
  }
}
