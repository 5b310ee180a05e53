/**
 * A node as a member of a cluster: what it takes from the engine and its peers, and what it tells them. Whatever becomes of the
 * engine, the node serves on.
 */
import {
  type Clock,
  type ClusterCharter,
  type CreatePeerLinks,
  decodeNode,
  encodeNode,
  type EngineEntry,
  type EngineEvent,
  type EnginePort,
  type Logger,
  type Meter,
  nodeKey,
  nodeOfKey,
  type PeerLinksControl,
  type PeerListener,
  type PeerNode,
  type PeerReport,
} from '@rollcall/core'
import type { ClusterResponse } from '@rollcall/wire'
import type { Sink } from '../driver/commits.js'
import type { NodeDriver } from '../driver/node-driver.js'
import type { SystemRandom } from '../random.js'
import { EngineCheck } from './engine-check.js'
import { EngineLink } from './engine-link.js'
import { EngineOutbox } from './engine-outbox.js'
import { NodeSet } from './node-set.js'
import { type PeerEffects, PeerTalk } from './peer-talk.js'

/** What the protocol of clients does for the cluster. */
export interface ClusterClients {
  /** Open streams of clients. */
  sessions(): number
  /** The nodes that clients may use are others now. */
  nodesChanged(): void
  /** So many sessions should be at one of these nodes instead. */
  rebalance(count: number, to: readonly string[]): void
}

export interface MemberDeps {
  readonly clock: Clock
  readonly random: SystemRandom
  readonly logger: Logger
  readonly meter: Meter
  readonly engine: EnginePort
  readonly driver: NodeDriver
  readonly links: CreatePeerLinks
  readonly clients: ClusterClients
  /** Answers what peers ask. */
  readonly answer: PeerListener['answer']
}

export interface MemberOptions {
  readonly self: PeerNode
  /** Name of the cluster. */
  readonly cluster: string
  /** How long the key of this node outlives it. */
  readonly leaseTtlMs: number
}

/** A node that starts serves what its journal had after this long without the engine. */
const STALE_START_MS = 5_000

const REPORT_MS = 2_000

/** So much more than its share, and so many sessions beyond that, are not worth moving. */
const UNEVEN = 1.1
const UNEVEN_SESSIONS = 5

/** How long a stop waits for what is unpublished. */
const FLUSH_MS_MAX = 2_000
const FLUSH_LOOK_MS = 20

/** Makes a member of a node whose driver was made with `joined: true`. It begins with `start`. */
export function createMember(deps: MemberDeps, options: MemberOptions): Member {
  return new Member(deps, options)
}

export class Member {
  private readonly deps: MemberDeps
  private readonly options: MemberOptions
  private readonly nodes: NodeSet
  private readonly engine: EngineLink
  private readonly outbox: EngineOutbox
  private readonly check: EngineCheck
  private readonly talk: PeerTalk
  private state: 'new' | 'running' | 'stopping' | 'closed' = 'new'
  private cancelStale: (() => void) | undefined
  private cancelReport: (() => void) | undefined
  /** The nodes that were told of last. */
  private toldOf = ''
  /** That a node in the engine cannot be read was told of. */
  private toldOfUnread = false
  /** The node of the same name that was told of last. */
  private namesake: string | undefined

  constructor(deps: MemberDeps, options: MemberOptions) {
    this.deps = deps
    this.options = options
    const { clock, random, logger, engine, driver } = deps
    const { self, cluster, leaseTtlMs } = options
    this.nodes = new NodeSet(clock, self)
    const lease = { key: nodeKey(self.node), value: encodeNode(self), ttlMs: leaseTtlMs }
    this.engine = new EngineLink(
      {
        clock,
        random,
        logger,
        engine,
        driver,
        listener: {
          following: (charter, entries) => this.following(charter, entries),
          changed: (events) => this.changed(events),
          connected: (connected) => this.connected(connected),
        },
      },
      { cluster, lease },
    )
    const mismatched = (error: Parameters<EngineLink['mismatched']>[0]): void => this.engine.mismatched(error)
    this.outbox = new EngineOutbox({ clock, random, logger, engine, driver, mismatched })
    const received = (): number => this.engine.received
    const { nodes } = this
    const checked = {
      keys: () => nodes.live.map(({ node }) => nodeKey(node)),
      reread: (keys: readonly string[], entries: readonly EngineEntry[]) => this.reread(keys, entries),
    }
    this.check = new EngineCheck({ clock, random, logger, engine, driver, received, nodes: checked })
    const { meter, links, answer } = deps
    const report = (): PeerReport => this.ownReport()
    const reported = (leaves: boolean): void => (leaves ? this.nodesChanged() : this.shun())
    this.talk = new PeerTalk({ clock, random, meter, driver, links, answer, nodes, report, reported }, self)
  }

  /** Where entries go so that other nodes have them. */
  readonly sink: Sink = {
    append: (entries) => {
      this.talk.wrote(entries)
      return this.outbox.append(entries)
    },
    kept: (records) => this.outbox.kept(records),
  }

  /** The links to its peers, while there are any. */
  get peers(): PeerLinksControl | undefined {
    return this.talk.links
  }

  /** The other nodes of the cluster, linked or not, and islands that are linked: they have clients too. */
  get others(): readonly PeerNode[] {
    const { peers } = this.nodes
    const known = new Set(peers.map(({ node }) => node))
    const islands = this.talk.links?.linked.filter(({ node }) => !known.has(node)) ?? []
    return [...peers, ...islands]
  }

  /** Up to which revision of the engine this node has followed. */
  get followed(): number {
    return this.engine.received
  }

  /** Where the nodes are reached that clients may use. */
  get offered(): readonly string[] {
    return this.nodes.offered.map(({ address }) => address)
  }

  /** What the rules of the node have to say to its peers. */
  get effects(): PeerEffects {
    return this.talk.effects
  }

  // ---- life ------------------------------------------------------------------------------------------------

  start(): void {
    if (this.state !== 'new') return
    this.state = 'running'
    const { clock, driver } = this.deps
    driver.onStep(() => {
      this.outbox.soon()
      this.talk.stepped()
    })
    this.fare()
    // What clients of this node alone register meanwhile is no list.
    if (driver.inspect((node) => node.directory.records) > 0)
      this.cancelStale = clock.setTimer(STALE_START_MS, () => this.serveStale())
    this.reportAgain()
    this.engine.start()
  }

  /** Others should not send clients here any more. */
  stop(): void {
    if (this.state !== 'running') return
    this.state = 'stopping'
    this.talk.report()
  }

  /** Publishes what it can in a short time, and leaves. Idempotent. */
  async close(): Promise<void> {
    if (this.state === 'closed') return
    if (this.state !== 'new') await this.flush()
    this.state = 'closed'
    this.cancelStale?.()
    this.cancelReport?.()
    this.outbox.close()
    this.check.close()
    this.talk.close()
    await this.engine.close()
  }

  private async flush(): Promise<void> {
    const { clock, driver } = this.deps
    const until = clock.now() + FLUSH_MS_MAX
    while (this.engine.isConnected && driver.joined.replica.backlog.size > 0 && clock.now() < until)
      await new Promise<void>((resolve) => clock.setTimer(FLUSH_LOOK_MS, resolve))
  }

  // ---- the engine ------------------------------------------------------------------------------------------

  private following(charter: ClusterCharter, entries: readonly EngineEntry[]): void {
    this.talk.link(charter)
    if (this.nodes.replace(entries.flatMap((entry) => this.nodeIn(entry) ?? []))) this.nodesChanged()
    this.check.open()
    this.deps.driver.serve()
    this.fare()
  }

  private changed(events: readonly EngineEvent[]): void {
    let changed = false
    for (const event of events)
      changed = this.took(event.key, event.kind === 'put' ? event : undefined) || changed
    if (changed) this.nodesChanged()
  }

  private reread(keys: readonly string[], entries: readonly EngineEntry[]): boolean {
    const held = new Map(entries.map((entry) => [entry.key, entry]))
    let changed = false
    for (const key of keys) changed = this.took(key, held.get(key)) || changed
    if (changed) this.nodesChanged()
    return changed
  }

  /** Takes in what the engine holds under a key; returns whether a node is another one by that, or gone. */
  private took(key: string, entry: Pick<EngineEntry, 'key' | 'value'> | undefined): boolean {
    const node = nodeOfKey(key)
    if (node === undefined) return false
    const peer = entry === undefined ? undefined : this.nodeIn(entry)
    return peer === undefined ? this.nodes.remove(node) : this.nodes.add(peer)
  }

  /** The node that an entry says is there; undefined where it is about something else, or cannot be read. */
  private nodeIn({ key, value }: Pick<EngineEntry, 'key' | 'value'>): PeerNode | undefined {
    const node = nodeOfKey(key)
    const peer = node === undefined ? undefined : decodeNode(node, value)
    if (node !== undefined && peer === undefined && !this.toldOfUnread) {
      this.toldOfUnread = true
      this.deps.logger.warn({ node }, 'the engine holds a node that cannot be read: left alone')
    }
    return peer
  }

  private connected(connected: boolean): void {
    const { logger } = this.deps
    const { charter } = this.engine
    if (connected) logger.info({}, 'the engine is there')
    else logger.warn({}, 'the engine is lost: this node is an island, and serves on from memory')
    if (connected && charter !== undefined) this.outbox.open(charter.epoch)
    else this.outbox.close()
    if (!connected) this.check.close()
    else this.check.open()
    this.tellWhatIsNotPublished()
    this.fare()
    this.talk.report()
  }

  /** While nothing can be published, for whatever reason, peers are told directly. */
  private tellWhatIsNotPublished(): void {
    this.talk.island(!this.engine.isConnected || this.outbox.fault !== undefined)
  }

  private fare(): void {
    const { driver } = this.deps
    const health = { stale: this.engine.charter === undefined, island: !this.engine.isConnected }
    const { stale, island } = driver.inspect((node) => node.views.health)
    if (stale !== health.stale || island !== health.island) driver.fare(health)
    this.shun()
  }

  /** An island is not asked while one of its peers is none. */
  private shun(): void {
    const better = this.nodes.peers.some(({ node }) => this.nodes.report(node)?.island === false)
    this.deps.driver.shun(!this.engine.isConnected && better)
  }

  /** The engine has not come: what the journal had is better than nothing, and says that it may be old. */
  private serveStale(): void {
    const { driver, logger } = this.deps
    if (this.engine.charter !== undefined) return
    logger.warn({}, 'no engine yet: lists are served from the journal, marked stale')
    driver.serve()
  }

  private nodesChanged(): void {
    const { driver, clients, logger } = this.deps
    const { live } = this.nodes
    driver.step((node, now) => node.adoption.live(live, now))
    this.talk.keep()
    clients.nodesChanged()
    const names = live.map(({ node, name }) => name ?? node).toSorted()
    if (names.join(' ') === this.toldOf) return
    this.toldOf = names.join(' ')
    logger.info({ nodes: names }, 'nodes of the cluster')
  }

  // ---- peers -----------------------------------------------------------------------------------------------

  private reportAgain(): void {
    this.cancelReport = this.deps.clock.setTimer(REPORT_MS, () => {
      this.talk.keep()
      this.shun()
      this.tellWhatIsNotPublished()
      this.seekNamesake()
      this.balance()
      this.talk.report()
      this.reportAgain()
    })
  }

  /** Two nodes of one name: each takes the other for its next boot. */
  private seekNamesake(): void {
    const { name } = this.options.self
    const linked = this.talk.links?.linked ?? []
    const other = linked.find((peer) => name !== undefined && peer.name === name)
    if (other?.node === this.namesake) return
    this.namesake = other?.node
    if (other === undefined) return
    const { address } = other
    this.deps.logger.warn({ name, address }, 'another node has the same nodeId: each needs one of its own')
  }

  /** Sends what it has too many of to where there is room: clients that came back after a failure, or before a node did. */
  private balance(): void {
    const { clients } = this.deps
    const own = clients.sessions()
    const others = this.nodes.offered.flatMap(({ node, address }) => {
      const report = this.nodes.report(node)
      return report === undefined || report.island ? [] : [{ address, sessions: report.sessions }]
    })
    if (others.length === 0 || !this.engine.isConnected) return
    const share = others.reduce((sum, { sessions }) => sum + sessions, own) / (others.length + 1)
    const to = others.filter(({ sessions }) => sessions < share).map(({ address }) => address)
    if (to.length > 0 && own > share * UNEVEN + UNEVEN_SESSIONS)
      clients.rebalance(Math.floor(own - share), to)
  }

  private ownReport(): PeerReport {
    const { driver, clients, clock } = this.deps
    const { size, oldest } = driver.joined.replica.backlog
    return {
      island: !this.engine.isConnected,
      stopping: this.state === 'stopping',
      judges: driver.inspect((node) => node.adoption.judges(this.options.self.node)),
      sessions: clients.sessions(),
      unpublished: size,
      lagMs: oldest === undefined ? 0 : Math.max(0, Math.round(clock.now() - oldest)),
      divergence: this.check.divergence,
    }
  }

  /** Nodes and engine, for people. */
  cluster(): ClusterResponse {
    const { kind, endpoints, version, alarms } = this.deps.engine.status()
    return {
      cluster: this.options.cluster,
      epoch: this.engine.charter?.epoch ?? '',
      nodes: this.nodes.describe(this.ownReport()),
      engine: {
        kind: kind === 'etcd' ? kind : 'none',
        state: this.engine.isConnected ? 'connected' : 'lost',
        endpoints,
        ...(version === undefined ? {} : { version }),
        ...(alarms.length === 0 ? {} : { alarms }),
      },
      divergence: this.check.divergence,
    }
  }
}
