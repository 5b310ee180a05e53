/** Which nodes there are: those whose key the engine holds, what they told last, and those that left a while ago. */
import type { Clock, PeerNode, PeerReport } from '@rollcall/core'
import type { ClusterNode } from '@rollcall/wire'

/** A node that left is told of for this long, and so many of them at most. */
const GONE_MS = 600_000
const GONE_MAX = 32

/** An island has no key, and its peers go on being linked with it; one that cannot be reached is tried for this long. */
const RELINK_MS = 60_000

/** A node whose link ended this long ago counts as gone for people, some seconds before its key ends. */
const MISSED_MS = 1_500

/** What a peer told longer ago than this says nothing of it any more. */
const REPORT_MS_MAX = 10_000

interface Told {
  readonly report: PeerReport
  readonly at: number
}

export class NodeSet {
  private readonly clock: Pick<Clock, 'now'>
  private readonly self: PeerNode
  private nodes = new Map<string, PeerNode>()
  private readonly gone = new Map<string, { readonly peer: PeerNode; readonly at: number }>()
  private readonly told = new Map<string, Told>()
  /** Since when nodes that were linked are not. */
  private readonly unlinkedAt = new Map<string, number>()

  constructor(clock: Pick<Clock, 'now'>, self: PeerNode) {
    this.clock = clock
    this.self = self
  }

  /** Those whose key the engine holds. */
  get live(): readonly PeerNode[] {
    return [...this.nodes.values()]
  }

  /** The same without this one. */
  get peers(): readonly PeerNode[] {
    return this.live.filter(({ node }) => node !== this.self.node)
  }

  /** Takes a node in, or its new key. Returns whether anything changed. */
  add(peer: PeerNode): boolean {
    const known = this.nodes.get(peer.node)
    this.gone.delete(peer.node)
    this.nodes.set(peer.node, peer)
    return known === undefined || known.address !== peer.address
  }

  remove(node: string): boolean {
    const peer = this.nodes.get(node)
    if (peer === undefined) return false
    this.nodes.delete(node)
    for (const [earlier, boot] of this.gone) if (isNextBoot(boot.peer, peer)) this.forget(earlier)
    this.gone.set(node, { peer, at: this.clock.now() })
    for (const oldest of this.gone.keys()) {
      if (this.gone.size <= GONE_MAX) break
      this.forget(oldest)
    }
    return true
  }

  /** From now on exactly these. Returns whether anything changed. */
  replace(peers: readonly PeerNode[]): boolean {
    const named = new Set(peers.map(({ node }) => node))
    let changed = false
    for (const node of [...this.nodes.keys()]) if (!named.has(node)) changed = this.remove(node) || changed
    for (const peer of peers) changed = this.add(peer) || changed
    return changed
  }

  /** Its next boot is there: nothing is missing. */
  private isBack(peer: PeerNode): boolean {
    return [...this.nodes.values()].some((other) => isNextBoot(peer, other))
  }

  private forget(node: string): void {
    this.gone.delete(node)
    this.told.delete(node)
  }

  /**
   * Peers to be linked with: those with a key, and of those without one the islands, which are linked still, or may be soon.
   * One that said that it stops, or whose next boot is there, does not come back.
   */
  linkable(linked: readonly PeerNode[]): readonly PeerNode[] {
    const ids = new Set(linked.map(({ node }) => node))
    const now = this.clock.now()
    const islands = [...this.gone].filter(([node, { peer, at }]) => {
      if (ids.has(node)) return true
      const left = this.told.get(node)?.report.stopping === true
      return now - at < RELINK_MS && !left && !this.isBack(peer)
    })
    return [...this.peers, ...islands.map(([, { peer }]) => peer)]
  }

  /** The link to a node stands, or no longer. */
  linked(node: string, linked: boolean): void {
    if (linked) this.unlinkedAt.delete(node)
    else if (this.nodes.has(node)) this.unlinkedAt.set(node, this.clock.now())
  }

  /** Whether a node was heard and is not any more, although its key still stands. */
  private isMissed(node: string): boolean {
    return this.clock.now() - (this.unlinkedAt.get(node) ?? Infinity) >= MISSED_MS
  }

  tell(node: string, report: PeerReport): void {
    if (this.nodes.has(node) || this.gone.has(node)) this.told.set(node, { report, at: this.clock.now() })
  }

  /** What a peer told, if that is not too long ago. */
  report(node: string): PeerReport | undefined {
    const told = this.told.get(node)
    return told === undefined || this.clock.now() - told.at > REPORT_MS_MAX ? undefined : told.report
  }

  /** Nodes that clients may use, this one first. */
  get offered(): readonly PeerNode[] {
    const peers = this.peers.filter(({ node }) => this.report(node)?.stopping !== true)
    return this.nodes.has(this.self.node) ? [this.self, ...peers] : peers
  }

  /** All of them for people; `own` is what this node knows of itself. */
  describe(own: PeerReport): readonly ClusterNode[] {
    const others = this.peers.map((peer): ClusterNode => {
      const described = describe(peer, this.report(peer.node))
      return this.isMissed(peer.node) ? { ...described, state: 'gone' } : described
    })
    const gone: ClusterNode[] = []
    for (const [node, { peer, at }] of this.gone) {
      const report = this.report(node)
      if (report?.island === true) gone.push(describe(peer, report))
      else if (this.clock.now() - at > GONE_MS || this.isBack(peer)) this.forget(node)
      else gone.push({ ...describe(peer, undefined), state: 'gone' })
    }
    return [describe(this.self, own), ...[...others, ...gone].toSorted(byName)]
  }
}

function describe({ node, name, address, version }: PeerNode, report: PeerReport | undefined): ClusterNode {
  const { judges = 0, sessions = 0, unpublished = 0, lagMs = 0 } = report ?? {}
  const state = report?.stopping === true ? 'stopping' : report?.island === true ? 'island' : 'ready'
  return {
    node,
    ...(name === undefined ? {} : { name }),
    address,
    state,
    version,
    judges,
    sessions,
    unpublished,
    lagMs,
  }
}

/** Whether both are one node, as people see it: of one name, or at one address. */
function isNextBoot(peer: PeerNode, other: PeerNode): boolean {
  return other.address === peer.address || (peer.name !== undefined && other.name === peer.name)
}

function byName(a: ClusterNode, b: ClusterNode): number {
  const first = [a.name ?? '', a.node].join(' ')
  const second = [b.name ?? '', b.node].join(' ')
  return first < second ? -1 : first > second ? 1 : 0
}
