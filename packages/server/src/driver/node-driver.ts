/**
 * Drives a node's rules with a real clock, sinks and prober, and is the door to them: each call is one step of the
 * rules, then the effects that it left behind.
 */
import {
  type Answers,
  type Caller,
  type ChangeWait,
  type Clock,
  type Command,
  type CommandKind,
  type CommandOf,
  type Done,
  type Joined,
  joinedAnswer,
  type JournalEntry,
  type Meter,
  type NodeEffects,
  type NodeOptions,
  type ProbeOutcome,
  type ProbeRequest,
  Queries,
  type NodeHealth,
  type Readiness,
  type Registry,
  RegistryNode,
  type Report,
  type ServicesQuery,
  type Session,
  type SessionOptions,
  type Subscriber,
  type Subscription,
  type StoredRecord,
  TICK_MS,
  type Unlearnt,
} from '@rollcall/core'
import type { Durability, HeartbeatResponse, ResolvedRef, ViewName } from '@rollcall/wire'
import { type ChangeWaits, createChangeWaits, settledWait } from './change-waits.js'
import { type Commit, Commits, type Sink, type SinkOptions, weakestOf } from './commits.js'
import { createEventFollowers, type EventFollowers } from './event-followers.js'
import { sampleNode } from './gauges.js'
import type { HeapReader } from './heap-watch.js'
import { type ProbePort, Probes } from './probes.js'
import { Publications } from './publications.js'
import { demand } from './refusals.js'
import type { AuditLog } from '../telemetry/audit-log.js'
import type { HealthLog } from '../telemetry/health-log.js'
import { ServicesWaiters } from './services-waiters.js'
import { SliceTurns } from './slice-turns.js'

export interface NodeDriverDeps {
  readonly clock: Clock
  /** The heap of the process. Without it there is always room. */
  readonly heap?: HeapReader
  readonly prober: ProbePort
  readonly meter: Meter
  /** Told of every command. */
  readonly audit?: AuditLog
  readonly health?: HealthLog
  /** What a node that has peers says to them. */
  readonly effects?: Pick<NodeEffects, 'tookOver' | 'passOn' | 'passUnreachable' | 'consult'>
}

/** Items of a command that are done in one turn of the event loop, some milliseconds. */
const ITEMS_PER_TURN = 500

/**
 * What a session says is done in the order in which it says it, and a frame bounds that; everything else is done in slices.
 */
function itemsPerTurn(kind: CommandKind, { session }: Caller): number {
  return session === undefined || kind === 'deregisterHost' ? ITEMS_PER_TURN : Infinity
}

/** Whether all of it is said again by beats or a session, should this node be lost before others know of it. */
function comesBack(command: Command): boolean {
  return command.kind === 'register' && command.items.every(({ liveness }) => liveness === 'lease')
}

/** Makes a driver around a fresh node. */
export function createNodeDriver(deps: NodeDriverDeps, options: NodeOptions): NodeDriver {
  return new NodeDriver(deps, options)
}

export class NodeDriver implements Registry {
  private readonly clock: Clock
  private readonly meter: Meter
  private readonly audit: AuditLog | undefined
  private readonly health: HealthLog | undefined
  private readonly node: RegistryNode
  private readonly queries: Queries
  private readonly commits: Commits
  private readonly publications: Publications
  private readonly followers: EventFollowers
  private readonly waits: ChangeWaits
  private readonly servicesWaiters: ServicesWaiters
  private readonly turns: SliceTurns
  private readonly probes: Probes
  private readonly unwatchHeap: (() => void) | undefined
  private cancelTick: (() => void) | undefined
  private stepListener: (() => void) | undefined
  private sessions = 0
  private shunned = false
  private state: 'loading' | 'ready' | 'stopping' | 'closed' = 'loading'

  constructor(deps: NodeDriverDeps, options: NodeOptions) {
    const { clock, heap, prober, meter, audit, health } = deps
    this.clock = clock
    this.meter = meter
    this.audit = audit
    this.health = health
    this.commits = new Commits(clock)
    this.turns = new SliceTurns(clock)
    this.probes = new Probes({
      prober,
      clock,
      probed: (request, outcome) => this.found((node, now) => node.probed(request, outcome, now)),
    })
    this.node = new RegistryNode(clock.now(), options, {
      ...deps.effects,
      persist: (entry) => this.commits.add(entry),
      probe: (request) => this.probes.add(request),
      mayProbe: (host, peer) => prober.permits?.(host, peer) ?? true,
      meter,
      wallNow: () => clock.wallNow(),
      ...(health && { noticed: (notice) => health.noticed(notice) }),
    })
    this.unwatchHeap = heap?.watch((bytes) => this.node.budgets.heap.collected(bytes))
    this.queries = new Queries(this.node, () => clock.now())
    this.publications = new Publications(clock, this.node.publisher)
    this.followers = createEventFollowers(clock)
    this.waits = createChangeWaits(clock)
    this.servicesWaiters = new ServicesWaiters(
      { clock, meter, feed: this.node.feed, services: this.node.services },
      options.publisher,
    )
  }

  // ---- life ----------------------------------------------------------------------------------------------

  /** Adds a place where entries go from now on. Call before `start`. */
  attach(sink: Sink, options?: SinkOptions): void {
    this.commits.attach(sink, options)
  }

  /** What joins the node with others; throws for a node by itself. */
  get joined(): Joined {
    const { joined } = this.node
    if (joined === undefined) throw new Error('the node is by itself')
    return joined
  }

  /** Looks at the rules without doing anything to them. */
  inspect<T>(look: (node: RegistryNode) => T): T {
    return look(this.node)
  }

  /** Does a step of the rules that no adapter asks for, and what follows from it. */
  step<T>(run: (node: RegistryNode, now: number) => T): T {
    const result = run(this.node, this.clock.now())
    this.after()
    return result
  }

  /** Calls `listener` after each step. One at a time. */
  onStep(listener: () => void): void {
    this.stepListener = listener
  }

  /**
   * Takes in what the journal recovered; a node by itself answers lookups from then on, one that an engine joins with others
   * from `serve` on. Returns what was refused.
   */
  load(entries: Iterable<JournalEntry>): readonly Unlearnt[] {
    const refused = this.node.load(entries, this.clock.now())
    if (this.node.joined === undefined) this.serve()
    return refused
  }

  /** What it lists may be asked for from now on. */
  serve(): void {
    if (this.state === 'loading') this.state = 'ready'
  }

  /** Current durable state, for the journal's snapshots. */
  snapshot(): Iterable<JournalEntry> {
    return this.node.snapshot()
  }

  /** Begins to judge. */
  start(): void {
    if (this.cancelTick !== undefined || this.state === 'closed') return
    const tick = (): void => {
      this.cancelTick = this.clock.setTimer(TICK_MS, tick)
      this.node.tick(this.clock.now())
      this.health?.heap(this.node.budgets.heap)
      this.after()
    }
    this.cancelTick = this.clock.setTimer(TICK_MS, tick)
    this.after()
  }

  /** No longer ready: other nodes should be asked. Everything is still answered. */
  stop(): void {
    if (this.state !== 'closed') this.state = 'stopping'
    // From here on sessions end because this node ends: no instance is judged by that.
    this.cancelTick?.()
  }

  /** Stops judging and publishing. */
  close(): void {
    this.state = 'closed'
    this.cancelTick?.()
    this.unwatchHeap?.()
    this.publications.close()
    this.waits.close()
    this.servicesWaiters.close()
    this.followers.close()
  }

  /** Whether it should be asked. */
  readiness(): Readiness {
    if (this.state !== 'ready') return { ready: false, reason: this.state }
    return this.shunned ? { ready: false, reason: 'island' } : { ready: true }
  }

  /** Whether another node is better asked than this one, which is an island. It answers as ever. */
  shun(shunned: boolean): void {
    this.shunned = shunned
  }

  /** How the node fares beside its peers, when that changes: by default it has none. */
  fare(health: NodeHealth): void {
    this.node.fare(health, this.clock.now())
    this.publications.soon()
  }

  /** How full the heap is, by what is alive on it. */
  heap(): { readonly used: number; readonly max: number } {
    return this.node.budgets.heap
  }

  /** Sets the gauges that are only computed when figures are asked for. */
  sample(): void {
    sampleNode(this.node, this.meter)
  }

  // ---- the door: nothing is decided by the caller yet but whom an event names, and which session vouches ------

  async execute<K extends CommandKind>(
    command: CommandOf<K>,
    caller: Caller,
    need?: Durability,
  ): Promise<Done<K>> {
    const startedAt = this.clock.now()
    this.meter.count('rollcall_commands_total', 1, command.kind)
    const settled: Promise<Durability>[] = []
    let answer: Answers[K]
    try {
      answer = await this.inParts(command, caller, need, settled)
    } catch (error) {
      this.audit?.refused(command as Command, error, caller)
      throw error
    }
    // Done it is, also where it turns out to be less durable than it had to be.
    this.audit?.done(command, answer, caller)
    const levels: Durability[] = []
    for (const level of settled) levels.push(await level)
    const durability = weakestOf(levels)
    this.meter.observe('rollcall_command_duration_seconds', (this.clock.now() - startedAt) / 1_000)
    return { answer, durability }
  }

  /** Does a command, a long one part by part with the turns of others between. How durable each part is goes to `settled`. */
  private async inParts<K extends CommandKind>(
    command: CommandOf<K>,
    caller: Caller,
    need: Durability | undefined,
    settled: Promise<Durability>[],
  ): Promise<Answers[K]> {
    const size = itemsPerTurn(command.kind, caller)
    const answers: Answers[K][] = []
    for (const part of demand(this.node.parts(command, size))) {
      if (answers.length > 0) await this.turns.next()
      const { answer, durability } = this.carryOut(part, caller, need)
      answers.push(answer)
      settled.push(durability)
    }
    return joinedAnswer(command, answers, size)
  }

  /** Does a command, or a part of one, in this turn. */
  private carryOut<K extends CommandKind>(
    command: CommandOf<K>,
    caller: Caller,
    need: Durability | undefined,
  ): { readonly answer: Answers[K]; readonly durability: Promise<Durability> } {
    const step = { caller, now: this.clock.now(), wallNow: this.clock.wallNow() }
    const answer = this.node.execute(command, step)
    const commit = this.after()
    const records = (): Iterable<StoredRecord> => this.node.held(command as Command, commit?.entries ?? [])
    const patient = !comesBack(command as Command)
    const durability = this.commits.settled(commit, records, { need, patient })
    // It is awaited when the last part is done; until then a rejection is no fault that nothing handles.
    durability.catch(() => {})
    return { answer: demand(answer), durability }
  }

  heard(refs: readonly ResolvedRef[], _caller: Caller): HeartbeatResponse {
    const response = this.node.heard(refs, this.clock.now())
    this.after()
    return response
  }

  report(report: Report, _caller: Caller): void {
    const now = this.clock.now()
    if (report.kind === 'unreachable') this.node.unreachable(report.refs, now)
    else this.node.publisher.polled(report.name, report.everyMs, now)
    this.after()
  }

  ask(
    request: ProbeRequest,
    answered: (outcome: ProbeOutcome, cause?: string) => void,
    _caller: Caller,
  ): void {
    this.probes.ask(request, (outcome, agoMs, cause) => {
      if (!this.found((node, now) => node.witnessed(request, outcome, agoMs, now))) return
      answered(outcome, cause)
    })
  }

  read(_caller: Caller): Queries {
    return this.queries
  }

  wait(what: ViewName | ServicesQuery, sign: string, timeoutMs: number, { peer }: Caller): ChangeWait {
    if ('service' in what) {
      if (this.queries.sign(what) !== sign) return settledWait(true)
      return this.waits.begin(timeoutMs, (wake) => this.node.publisher.wait(what, sign, wake, peer))
    }
    const page = this.node.services.page(what)
    if (page.sign !== sign) return settledWait(true)
    return this.waits.begin(timeoutMs, (wake) => this.servicesWaiters.add(what, page, wake))
  }

  follow(listener: () => void, _caller: Caller): () => void {
    return this.followers.follow(listener)
  }

  openSession(options: SessionOptions, _caller: Caller): Session {
    return this.node.liveness.openSession(`s${++this.sessions}`, options, this)
  }

  subscribe(subscriber: Subscriber, caller: Caller): Subscription {
    const subscription = this.node.publisher.subscribe(subscriber, () => this.clock.now(), caller.peer)
    const close = (): void => {
      subscription.close()
      if (this.state !== 'closed') this.publications.soon()
    }
    return { ...subscription, close }
  }

  // ---- what sessions say -----------------------------------------------------------------------------------

  now(): number {
    return this.clock.now()
  }

  stepped(): void {
    if (this.commits.pending || this.probes.pending) this.after()
  }

  // ---- effects -------------------------------------------------------------------------------------------

  /** Takes in what a probe found, unless the node has closed. */
  private found(take: (node: RegistryNode, now: number) => void): boolean {
    if (this.state === 'closed') return false
    take(this.node, this.clock.now())
    this.after()
    return true
  }

  /** What a step leaves behind: entries to write, probes to make, changes to tell. */
  private after(): Commit | undefined {
    const commit = this.commits.write()
    this.probes.make()
    if (this.state === 'closed') return commit
    this.stepListener?.()
    this.publications.soon()
    this.servicesWaiters.changed()
    this.followers.reached(this.node.events.newest)
    return commit
  }
}
