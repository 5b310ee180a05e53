/**
 * Drives a node's rules with a real clock, journal and prober, and offers them to protocol adapters as
 * RegistryApi. Each call is one step: rules first, then the effects they left behind.
 */
import {
  type Accepted,
  type ChangeWait,
  type Clock,
  fullView,
  type JournalEntry,
  type JournalPort,
  type Logger,
  type Meter,
  type NodeOptions,
  type OperatorApi,
  type Origin,
  type ProbeOutcome,
  type ProbeRequest,
  type Readiness,
  type RegisterCommand,
  RegistryNode,
  type RegistryApi,
  type RemovalLists,
  resumeView,
  type ServicesQuery,
  type Session,
  type SessionOptions,
  type SessionEvidence,
  signOfView,
  TICK_MS,
  toInstance,
  type ViewFacts,
  type WriteOptions,
} from '@rollcall/core'
import { type DeregisterResponse, type Durability, type RegisterResult, type ViewName } from '@rollcall/wire'
import { type ChangeWaits, createChangeWaits, settledWait } from './change-waits.js'
import { createEventFollowers, type EventFollowers } from './event-followers.js'
import { sampleNode } from './gauges.js'
import { createOperatorDriver } from './operator-driver.js'
import { demand, refuse, refuseBelow } from './refusals.js'
import { ServicesWaiters } from './services-waiters.js'

/** Where probes are made; the callback is called exactly once, possibly at once. */
export interface ProbePort {
  probe(request: ProbeRequest, callback: (outcome: ProbeOutcome) => void): void
  /** Whether a probe of an address could be made at all. Without it, any. */
  permits?(host: string, peer: string | undefined): boolean
}

export interface NodeDriverDeps {
  readonly clock: Clock
  readonly prober: ProbePort
  readonly logger: Logger
  readonly meter: Meter
}

export interface NodeDriver extends RegistryApi {
  /** Takes in what the journal recovered; lookups are answered from then on. */
  load(entries: Iterable<JournalEntry>): void
  /** Sets where entries go from now on. Call before `start`. */
  attachJournal(journal: JournalPort): void
  /** Current durable state, for the journal's snapshots. */
  snapshot(): Iterable<JournalEntry>
  /** Begins to judge. */
  start(): void
  /** No longer ready: other nodes should be asked. Everything is still answered. */
  stop(): void
  /** Sets the gauges that are only computed when somebody looks. */
  sample(): void
  /** Stops judging and publishing. */
  close(): void
}

/** Makes a driver around a fresh node. */
export function createNodeDriver(deps: NodeDriverDeps, options: NodeOptions): NodeDriver {
  return new Driver(deps, options)
}

class Driver implements NodeDriver {
  private readonly clock: Clock
  private readonly prober: ProbePort
  private readonly meter: Meter
  private readonly node: RegistryNode
  readonly operators: OperatorApi
  private readonly followers: EventFollowers
  private journal: JournalPort | undefined
  private entries: JournalEntry[] = []
  private probes: ProbeRequest[] = []
  private probing = false
  private lastCommit: Promise<Durability> | undefined
  private cancelTick: (() => void) | undefined
  private cancelSoon: (() => void) | undefined
  private cancelLater: (() => void) | undefined
  private sessions = 0
  private state: 'loading' | 'ready' | 'stopping' | 'closed' = 'loading'
  private readonly waits: ChangeWaits
  private readonly servicesWaiters: ServicesWaiters

  constructor(deps: NodeDriverDeps, options: NodeOptions) {
    this.clock = deps.clock
    this.prober = deps.prober
    this.meter = deps.meter
    this.node = new RegistryNode(deps.clock.now(), options, {
      persist: (entry) => this.entries.push(entry),
      probe: (request) => this.probes.push(request),
      mayProbe: (host, peer) => this.prober.permits?.(host, peer) ?? true,
      meter: deps.meter,
      wallNow: () => deps.clock.wallNow(),
    })
    this.followers = createEventFollowers(deps.clock)
    this.operators = createOperatorDriver({
      node: this.node,
      now: () => deps.clock.now(),
      commit: (write) => this.commit(write),
      followers: this.followers,
    })
    this.waits = createChangeWaits(deps.clock)
    this.servicesWaiters = new ServicesWaiters(
      { clock: deps.clock, feed: this.node.feed, services: this.node.services },
      options.publisher,
    )
  }

  // ---- life ----------------------------------------------------------------------------------------------

  attachJournal(journal: JournalPort): void {
    this.journal = journal
  }

  load(entries: Iterable<JournalEntry>): void {
    this.node.load(entries, this.clock.now())
    if (this.state === 'loading') this.state = 'ready'
  }

  snapshot(): Iterable<JournalEntry> {
    return this.node.snapshot()
  }

  start(): void {
    if (this.cancelTick !== undefined || this.state === 'closed') return
    const tick = (): void => {
      this.cancelTick = this.clock.setTimer(TICK_MS, tick)
      this.node.tick(this.clock.now())
      this.after()
    }
    this.cancelTick = this.clock.setTimer(TICK_MS, tick)
    this.after()
  }

  stop(): void {
    if (this.state !== 'closed') this.state = 'stopping'
    // From here on sessions end because this node ends: nobody is judged by that.
    this.cancelTick?.()
  }

  close(): void {
    this.state = 'closed'
    for (const cancel of [this.cancelTick, this.cancelSoon, this.cancelLater]) cancel?.()
    this.waits.close()
    this.servicesWaiters.close()
    this.followers.close()
  }

  readiness(): Readiness {
    return this.state === 'ready' ? { ready: true } : { ready: false, reason: this.state }
  }

  sample(): void {
    sampleNode(this.node, this.meter)
  }

  // ---- writes --------------------------------------------------------------------------------------------

  async register(
    commands: readonly RegisterCommand[],
    origin: Origin,
    options?: WriteOptions,
  ): Promise<readonly RegisterResult[]> {
    const now = this.clock.now()
    const wallNow = this.clock.wallNow()
    const accepted: Accepted[] = []
    for (const command of commands) accepted.push(this.node.register(command, origin, now, wallNow))
    const durability = await this.commit(options)
    return accepted.map((result, index) => {
      if (!result.ok) return result
      const { service, group, id } = commands[index] as RegisterCommand
      return { ok: true, service, group, id, incarnation: result.incarnation, durability }
    })
  }

  heartbeat: RegistryApi['heartbeat'] = (refs) => {
    const response = this.node.heartbeat(refs, this.clock.now())
    this.after()
    return response
  }

  hint: RegistryApi['hint'] = (refs) => {
    this.node.hint(refs, this.clock.now())
    this.after()
  }

  async deregister(
    ...[refs, { session, peer }, options]: Parameters<RegistryApi['deregister']>
  ): Promise<DeregisterResponse> {
    return this.removed(this.node.deregister(refs, 'provider', this.clock.now(), session, peer), options)
  }

  async deregisterHost(
    ...[request, { peer }, options]: Parameters<RegistryApi['deregisterHost']>
  ): Promise<DeregisterResponse> {
    const lists = this.node.deregisterHost(request, this.clock.now(), peer)
    return this.removed(demand(lists), options)
  }

  async declare(...[namespace, service, settings]: Parameters<RegistryApi['declare']>): Promise<Durability> {
    refuse(this.node.declare(namespace, service, settings, this.clock.now()))
    return this.commit()
  }

  async undeclare(namespace: string, service: string): Promise<boolean> {
    if (this.settings(namespace, service) === undefined) return false
    this.node.declare(namespace, service, null, this.clock.now())
    await this.commit()
    return true
  }

  async declareNamespace(
    ...[namespace, settings]: Parameters<RegistryApi['declareNamespace']>
  ): Promise<Durability> {
    refuse(this.node.declareNamespace(namespace, settings, this.clock.now()))
    return this.commit()
  }

  async undeclareNamespace(namespace: string): Promise<boolean> {
    if (this.node.namespaceSettings(namespace) === undefined) return false
    refuse(this.node.declareNamespace(namespace, null, this.clock.now()))
    await this.commit()
    return true
  }

  // ---- reads ---------------------------------------------------------------------------------------------

  namespaces: RegistryApi['namespaces'] = () => this.node.services.namespaces()
  services: RegistryApi['services'] = (query) => this.node.services.list(query)

  view: RegistryApi['view'] = (name) =>
    this.knows(name) ? fullView(this.node.directory, name, this.clock.now(), this.viewFacts(name)) : undefined

  sign: RegistryApi['sign'] = (name) => signOfView(this.node.directory, name)

  knows: RegistryApi['knows'] = (name) => {
    const service = this.node.directory.find(name.namespace, name.service)
    if (service === undefined || name.group === undefined) return service !== undefined
    return service.groups.has(name.group) || service.settings?.groups?.includes(name.group) === true
  }

  resume: RegistryApi['resume'] = (name, sign) =>
    resumeView(this.node.directory, name, sign, this.clock.now(), this.viewFacts(name))

  private viewFacts({ namespace, service }: ViewName): ViewFacts {
    return {
      stale: false,
      guard: this.node.liveness.guardOf(this.node.directory.find(namespace, service)),
    }
  }

  instance: RegistryApi['instance'] = (key) => {
    const entry = this.node.directory.entry(key)
    return entry === undefined ? undefined : toInstance(entry, this.clock.now())
  }

  compareSigns: RegistryApi['compareSigns'] = (items) => this.node.services.compare(items)
  settled: RegistryApi['settled'] = (names, since) => {
    const { subscribers, acknowledged, seq } = this.node.publisher.audience(names, since)
    return { settled: acknowledged === subscribers, seq }
  }

  settings: RegistryApi['settings'] = (namespace, service) =>
    this.node.directory.find(namespace, service)?.settings

  namespaceSettings: RegistryApi['namespaceSettings'] = (namespace) => this.node.namespaceSettings(namespace)

  // ---- waiting -------------------------------------------------------------------------------------------

  waitForChange(name: ViewName, sign: string, timeoutMs: number): ChangeWait {
    if (this.sign(name) !== sign) return settledWait(true)
    return this.waits.begin(timeoutMs, (wake) => this.node.publisher.wait(name, sign, wake))
  }

  waitForServices(query: ServicesQuery, sign: string, timeoutMs: number): ChangeWait {
    const page = this.node.services.page(query)
    if (page.sign !== sign) return settledWait(true)
    return this.waits.begin(timeoutMs, (wake) => this.servicesWaiters.add(query, page, wake))
  }

  // ---- sessions and subscriptions ------------------------------------------------------------------------

  openSession(options: SessionOptions): Session {
    const id = `s${++this.sessions}`
    return this.node.openSession(id, this.clock.now(), options, this)
  }

  heardSession(session: SessionEvidence): void {
    this.node.heardSession(session, this.clock.now())
    if (this.entries.length > 0) this.after()
  }

  closeSession(session: SessionEvidence): void {
    this.node.closeSession(session, this.clock.now())
    this.after()
  }

  subscribe: RegistryApi['subscribe'] = (subscriber) =>
    this.node.publisher.subscribe(subscriber, () => this.clock.now())

  // ---- effects -------------------------------------------------------------------------------------------

  private async removed(lists: RemovalLists, options: WriteOptions | undefined): Promise<DeregisterResponse> {
    return { ...lists, durability: await this.commit(options) }
  }

  /** Runs the effects of a step and resolves when its entries are as durable as they get. */
  private async commit(options?: WriteOptions): Promise<Durability> {
    this.after()
    const durability = await (this.lastCommit ?? this.append([]))
    refuseBelow(durability, options?.require)
    return durability
  }

  /** What a step leaves behind: entries to write, probes to make, changes to tell. */
  private after(): void {
    if (this.entries.length > 0) this.write()
    if (this.probes.length > 0 && !this.probing) this.makeProbes()
    if (this.state === 'closed') return
    if (this.node.publisher.pending) this.publishSoon()
    this.servicesWaiters.changed()
    this.followers.reached(this.node.events.newest)
  }

  private write(): void {
    const entries = this.entries
    this.entries = []
    const commit = this.append(entries).then((durability) => {
      if (this.lastCommit === commit) this.lastCommit = undefined
      return durability
    })
    this.lastCommit = commit
  }

  /** A journal rejects only once it is closed: what is accepted after that is in memory and nowhere else. */
  private async append(entries: readonly JournalEntry[]): Promise<Durability> {
    try {
      return (await this.journal?.append(entries)) ?? 'memory'
    } catch {
      return 'memory'
    }
  }

  private makeProbes(): void {
    this.probing = true
    while (this.probes.length > 0) {
      const requests = this.probes
      this.probes = []
      for (const request of requests) {
        this.prober.probe(request, (outcome) => {
          if (this.state === 'closed') return
          this.node.probed(request, outcome, this.clock.now())
          this.after()
        })
      }
    }
    this.probing = false
  }

  /** In the next turn of the loop, so that everything that arrived in this one is told together. */
  private publishSoon(): void {
    this.cancelSoon ??= this.clock.setTimer(0, () => {
      this.cancelSoon = undefined
      this.publish()
    })
  }

  private publish(): void {
    const now = this.clock.now()
    const { publisher } = this.node
    publisher.flush(now)
    this.cancelLater?.()
    this.cancelLater = undefined
    const due = publisher.due()
    if (due === Infinity) return
    this.cancelLater = this.clock.setTimer(Math.max(1, due - now), () => this.publish())
  }
}
