/** Nodes of a cluster on one clock: the real driver and member of each, an engine in memory, and links that a test may cut. */
import {
  type CreatePeerLinks,
  type JournalEntry,
  type Logger,
  NO_LOGGER,
  NO_METER,
  NODE_DEFAULTS,
  type NodeOptions,
  type PeerListener,
  type PeerMessage,
  type PeerNode,
  type ProbeOutcome,
  type ProbeRequest,
} from '@rollcall/core'
import { createMemoryEngine, createMemoryStore, type MemoryEngine, type MemoryStore } from '@rollcall/storage'
import { HandClock } from '@rollcall/testkit/time'
import { RegistryError } from '@rollcall/wire'
import { createNodeDriver, type NodeDriver } from '../driver/node-driver.js'
import { HandJournal, PEER } from '../driver/node-driver.fixture.js'
import { createMember, type Member } from './member.js'

const LEASE_TTL_MS = 6_000

interface Plug {
  readonly self: PeerNode
  readonly secret: string
  readonly listener: PeerListener
  peers: ReadonlySet<string>
}

/** Links between nodes on one clock: each message takes a millisecond. */
export class Switchboard {
  private readonly clock: HandClock
  private readonly plugs = new Map<string, Plug>()
  private readonly linked = new Set<string>()
  /** Pairs that are cut, as `a|b` in order. */
  readonly cuts = new Set<string>()
  /** Nodes that take nothing at present, as one whose queue is full. */
  readonly busy = new Set<string>()
  /** Everything that was told. */
  readonly told: { readonly from: string; readonly to: string; readonly message: PeerMessage }[] = []

  constructor(clock: HandClock) {
    this.clock = clock
  }

  readonly links: CreatePeerLinks = (self, secret, listener) => {
    const plug: Plug = { self, secret, listener, peers: new Set() }
    this.plugs.set(self.node, plug)
    const linked = (): readonly PeerNode[] => this.peersOf(plug)
    return {
      get linked() {
        return linked()
      },
      keep: (peers) => {
        plug.peers = new Set(peers.map(({ node }) => node))
        this.refresh()
      },
      tell: (node, message) => {
        if (!this.linked.has(pair(self.node, node)) || this.busy.has(node)) return false
        this.told.push({ from: self.node, to: node, message })
        const copy = JSON.parse(JSON.stringify(message)) as PeerMessage
        this.clock.setTimer(1, () => {
          if (this.linked.has(pair(self.node, node))) this.plugs.get(node)?.listener.told(self, copy)
        })
        return true
      },
      // As a real link where the peer does not answer: a node that doubts its ears asks.
      ask: () => Promise.reject(new RegistryError('unreachable', 'no answers in these tests')),
      close: () => {
        this.plugs.delete(self.node)
        this.refresh()
      },
    }
  }

  /** The link between two nodes, from now on. */
  link(a: string, b: string, stands: boolean): void {
    if (stands) this.cuts.delete(pair(a, b))
    else this.cuts.add(pair(a, b))
    this.refresh()
  }

  /** Brings what is linked in step with what is plugged, kept and cut. */
  refresh(): void {
    const plugs = [...this.plugs.values()]
    for (const [at, a] of plugs.entries())
      for (const b of plugs.slice(at + 1)) {
        const key = pair(a.self.node, b.self.node)
        const wanted =
          a.secret === b.secret && a.peers.has(b.self.node) && b.peers.has(a.self.node) && !this.cuts.has(key)
        if (wanted === this.linked.has(key)) continue
        if (wanted) this.linked.add(key)
        else this.linked.delete(key)
        for (const [one, other] of [
          [a, b],
          [b, a],
        ] as const)
          this.clock.setTimer(1, () =>
            wanted ? one.listener.linked(other.self) : one.listener.unlinked(other.self),
          )
      }
    for (const key of [...this.linked]) {
      const [a = '', b = ''] = key.split('|')
      if (this.plugs.has(a) && this.plugs.has(b)) continue
      this.linked.delete(key)
      this.plugs.get(a)?.listener.unlinked({ node: b, address: '', version: '' })
      this.plugs.get(b)?.listener.unlinked({ node: a, address: '', version: '' })
    }
  }

  private peersOf(plug: Plug): readonly PeerNode[] {
    return [...this.plugs.values()]
      .filter(({ self }) => this.linked.has(pair(plug.self.node, self.node)))
      .map(({ self }) => self)
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`
}

/** One node with everything around it. */
export interface TestNode {
  readonly node: string
  readonly driver: NodeDriver
  readonly member: Member
  readonly engine: MemoryEngine
  readonly journal: HandJournal
  /** How many sessions were asked to move last, and where to. */
  moved: readonly (number | string)[]
  /** Sessions that clients are said to have open here. */
  sessions: number
  /** How probes of this node end. */
  probes: (request: ProbeRequest) => ProbeOutcome
}

/** A clock, a store, links, and nodes that use them. */
export class TestCluster {
  readonly clock: HandClock = new HandClock(5_000)
  readonly store: MemoryStore = createMemoryStore(this.clock)
  readonly board: Switchboard = new Switchboard(this.clock)
  private boots = 0

  /** A node that has started. Let time pass for it to join. */
  start(
    name: string,
    entries: readonly JournalEntry[] = [],
    options: Partial<NodeOptions> & { readonly cluster?: string; readonly logger?: Logger } = {},
  ): TestNode {
    const { clock, board, store } = this
    const { cluster = 'test', logger = NO_LOGGER, ...others } = options
    const node = `${name}.${++this.boots}`
    const engine = createMemoryEngine(store, { clock })
    const journal = new HandJournal()
    const driver = createNodeDriver(
      {
        clock,
        meter: NO_METER,
        prober: { probe: (request, answer) => void clock.setTimer(1, () => answer(it.probes(request))) },
        effects: {
          tookOver: (...told) => it.member.effects.tookOver(...told),
          passOn: (...told) => it.member.effects.passOn(...told),
          passUnreachable: (...told) => it.member.effects.passUnreachable(...told),
          consult: (...told) => it.member.effects.consult(...told),
        },
      },
      { ...NODE_DEFAULTS, nodeId: node, joined: true, ...others },
    )
    driver.load(entries)
    driver.attach(journal)
    const member = createMember(
      {
        clock,
        random: {
          fraction: () => 0.5,
          bootId: () => `epoch-${++this.boots}`,
          secret: () => `secret-${++this.boots}`,
        },
        logger,
        meter: NO_METER,
        engine,
        driver,
        links: board.links,
        clients: {
          sessions: () => it.sessions,
          nodesChanged: () => {},
          rebalance: (count, to) => {
            it.moved = [count, ...to]
          },
        },
        answer: () => Promise.reject(new Error('not asked in these tests')),
      },
      {
        self: { node, name, address: `${name}:7400`, version: '1.0.0' },
        cluster,
        leaseTtlMs: LEASE_TTL_MS,
      },
    )
    driver.attach(member.sink, { behind: true })
    const it: TestNode = {
      node,
      driver,
      member,
      engine,
      journal,
      moved: [],
      sessions: 0,
      probes: () => 'failed',
    }
    driver.start()
    member.start()
    return it
  }

  /** Lets time pass until these have joined. */
  async joined(...nodes: readonly TestNode[]): Promise<void> {
    await this.clock.pass(3_000)
    for (const { member } of nodes)
      if (member.cluster().engine.state !== 'connected') throw new Error('a node did not join')
  }

  /** Lets time pass while these hear the instance, so that it stays what it is. */
  async beating(ms: number, ...nodes: readonly TestNode[]): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      for (const { driver } of nodes) driver.heard([{ ...KEY, incarnation: 1 }], PEER)
      await this.clock.pass(1_000)
    }
  }
}

/** The instance of most tests. */
export const KEY = { namespace: 'default', service: 'orders', group: 'default', id: 'a' } as const

/** What a node shows of an instance; undefined where it lists none. */
export function state({ driver }: TestNode, id = 'a'): string | undefined {
  return driver.read(PEER).instance({ ...KEY, id })?.state
}

/** Changes that a node has not published. */
export function unpublished({ driver }: TestNode): number {
  return driver.joined.replica.backlog.size
}
