/** What a node says to its peers and does with what they say: over the links that it keeps with them. */
import {
  type Clock,
  type ClusterCharter,
  type CreatePeerLinks,
  type JournalEntry,
  type Meter,
  type NodeEffects,
  type PeerLinksControl,
  type PeerListener,
  type PeerMessage,
  type PeerNode,
  type PeerReport,
  type ProbeOutcome,
  type ProbeRequest,
} from '@rollcall/core'
import { isRegistryError } from '@rollcall/wire'
import type { NodeDriver } from '../driver/node-driver.js'
import type { SystemRandom } from '../random.js'
import { createHeardOutbox, type HeardOutbox } from './heard-outbox.js'
import type { NodeSet } from './node-set.js'
import { PeerRelay } from './peer-relay.js'

export interface PeerTalkDeps {
  readonly clock: Clock
  readonly random: Pick<SystemRandom, 'fraction'>
  readonly meter: Meter
  readonly driver: NodeDriver
  readonly links: CreatePeerLinks
  /** Answers what peers ask. */
  readonly answer: PeerListener['answer']
  readonly nodes: NodeSet
  /** What this node tells of itself. */
  readonly report: () => PeerReport
  /** A peer told how it fares; `leaves`: that it stops, for the first time. */
  readonly reported: (leaves: boolean) => void
}

/** What the rules of a node say to its peers. */
export type PeerEffects = Required<Pick<NodeEffects, 'tookOver' | 'passOn' | 'passUnreachable' | 'consult'>>

/** How much longer than the probe itself a peer may take for it. */
const CONSULT_MS = 1_000

export class PeerTalk {
  private readonly deps: PeerTalkDeps
  private readonly self: PeerNode
  private readonly relay: PeerRelay
  private readonly heard: HeardOutbox
  private control: PeerLinksControl | undefined
  /** The charter by which peers are known. */
  private charter: ClusterCharter | undefined

  constructor(deps: PeerTalkDeps, self: PeerNode) {
    this.deps = deps
    this.self = self
    const { clock, driver, meter } = deps
    const isIsland = (node: string): boolean => deps.nodes.report(node)?.island === true
    this.relay = new PeerRelay({ clock, meter, driver, links: () => this.control, isIsland })
    const links = {
      tell: (node: string, message: PeerMessage): boolean => this.control?.tell(node, message) ?? false,
    }
    this.heard = createHeardOutbox({ clock, meter, links })
  }

  /** The links, while there are any. */
  get links(): PeerLinksControl | undefined {
    return this.control
  }

  /** What the rules of the node have to say to peers. */
  readonly effects: PeerEffects = {
    tookOver: (record) => this.relay.tookOver(record),
    passOn: (judge, ref, agoMs) => this.heard.passOn(judge, ref, agoMs),
    passUnreachable: (judge, refs) => void this.control?.tell(judge, { type: 'unreachable', refs }),
    consult: (request) => void this.consult(request),
  }

  /** Peers are known by this charter from now on. */
  link(charter: ClusterCharter): void {
    if (this.charter?.secret === charter.secret && this.charter.epoch === charter.epoch) return
    this.control?.close('the charter of the cluster is another one')
    this.charter = charter
    const { links, answer, driver, nodes } = this.deps
    const listener: PeerListener = {
      linked: ({ node: peer }) => {
        nodes.linked(peer, true)
        driver.step((node) => node.adoption.heard(peer))
        this.relay.linked(peer)
        this.report()
      },
      unlinked: ({ node: peer }) => {
        nodes.linked(peer, false)
        this.relay.unlinked(peer)
        driver.step((node, now) => node.adoption.silent(peer, now))
      },
      told: (peer, message) => this.told(peer, message),
      answer,
    }
    this.control = links(this.self, charter.secret, listener, charter.epoch)
    this.keep()
  }

  /** Brings the links in step with the nodes that there are. */
  keep(): void {
    if (this.control !== undefined) this.control.keep(this.deps.nodes.linkable(this.control.linked))
  }

  /** Tells peers how this node fares. */
  report(): void {
    const report = this.deps.report()
    for (const { node } of this.control?.linked ?? []) this.control?.tell(node, { type: 'report', report })
  }

  /** While the engine is lost, peers are told what cannot be published. */
  island(isIsland: boolean): void {
    this.relay.island(isIsland)
  }

  /** These were written here: peers that lost the engine are told. */
  wrote(entries: readonly JournalEntry[]): void {
    this.relay.share(entries)
  }

  /** Something may have changed here. */
  stepped(): void {
    this.relay.stepped()
  }

  close(): void {
    this.relay.close()
    this.heard.close()
    this.control?.close()
  }

  private told(peer: PeerNode, message: PeerMessage): void {
    const { driver, nodes } = this.deps
    if (message.type === 'heard') {
      driver.step((node, now) => node.heardElsewhere(message.refs, message.agoMs, now))
    } else if (message.type === 'unreachable') {
      driver.step((node, now) => node.unreachableElsewhere(message.refs, now))
    } else if (message.type === 'learn') {
      driver.step((node, now) => node.learn(message.entries, now))
      this.relay.learnt(message.entries, peer.node)
    } else {
      const leaves = message.report.stopping && nodes.report(peer.node)?.stopping !== true
      nodes.tell(peer.node, message.report)
      this.deps.reported(leaves)
    }
  }

  /** Has a peer ask an instance that this node may be deaf for. */
  private async consult(request: ProbeRequest): Promise<void> {
    const { random, driver } = this.deps
    const linked = this.control?.linked ?? []
    const peer = linked[Math.floor(random.fraction() * linked.length)]
    if (peer === undefined) return
    const outcome = await this.ask(peer, request)
    driver.step((node, now) => node.consulted(request, outcome, now))
  }

  private async ask({ node }: PeerNode, request: ProbeRequest): Promise<ProbeOutcome> {
    try {
      return (await this.control?.ask(node, 'probe', request, request.timeoutMs + CONSULT_MS)) ?? 'unable'
    } catch (error) {
      if (isRegistryError(error)) return 'unable'
      throw error
    }
  }
}
