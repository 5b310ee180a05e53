/** The links of one node to all its peers: whom to dial, who is let in, and what goes to the node. */
import type {
  Logger,
  Meter,
  PeerLinksControl,
  PeerListener,
  PeerMessage,
  PeerNode,
  PeerQuestionKind,
  PeerQuestions,
} from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import { Dialling, type DiallingDeps, type PeerRandom } from './dialling.js'
import { PEER_CLOSE_CODES } from './errors.js'
import { acceptHandshake, dials, type LinkIdentity } from './handshake.js'
import { PeerLink } from './link.js'
import type { ResolvedPeerOptions } from './options.js'
import { createRefusalLines, type RefusalLines } from './refusal-lines.js'
import type { DialPeer, LinkClock, PeerSocket, PeerSocketEvents } from './sockets.js'
import { runHandshake } from './strangers.js'

export interface PeersDeps {
  readonly clock: LinkClock
  readonly random: PeerRandom
  readonly logger: Logger
  readonly meter: Meter
  readonly dial: DialPeer
}

/** The links of a node, and the way in for peers that dial it. */
export interface Peers extends PeerLinksControl {
  /** Another side has connected; `from` is its address, for the log. */
  accept(socket: PeerSocket, from: string | undefined): PeerSocketEvents
}

interface Known {
  peer: PeerNode
  readonly dialling: Dialling | undefined
  link: PeerLink | undefined
}

/** Creates the links of a node whose cluster has this secret. */
export function createPeers(
  deps: PeersDeps,
  options: ResolvedPeerOptions,
  me: LinkIdentity,
  listener: PeerListener,
): Peers {
  return new NodePeers(deps, options, me, listener)
}

class NodePeers implements Peers {
  private readonly deps: PeersDeps
  private readonly diallingDeps: DiallingDeps
  private readonly refused: RefusalLines
  private readonly options: ResolvedPeerOptions
  private readonly me: LinkIdentity
  private readonly listener: PeerListener
  private readonly known = new Map<string, Known>()
  /** Handshakes under way on connections that others made, the oldest first. */
  private readonly strangers = new Set<{ cancel(): void }>()
  private over = false

  constructor(deps: PeersDeps, options: ResolvedPeerOptions, me: LinkIdentity, listener: PeerListener) {
    this.deps = deps
    this.options = options
    this.me = me
    this.listener = listener
    this.refused = createRefusalLines(deps, 'refused a link')
    this.diallingDeps = { ...deps, refused: createRefusalLines(deps, 'no link to a node of the cluster') }
  }

  get linked(): readonly PeerNode[] {
    return [...this.known.values()].filter(({ link }) => link !== undefined).map(({ peer }) => peer)
  }

  tell(node: string, message: PeerMessage): boolean {
    const taken = this.known.get(node)?.link?.tell(message) === true
    if (!taken) this.deps.meter.count('rollcall_peer_dropped_total')
    else if (message.type === 'heard') this.deps.meter.count('rollcall_peer_refs_total', message.refs.length)
    return taken
  }

  ask<K extends PeerQuestionKind>(
    node: string,
    kind: K,
    question: PeerQuestions[K]['asks'],
    timeoutMs: number,
  ): Promise<PeerQuestions[K]['answers']> {
    const link = this.known.get(node)?.link
    if (link === undefined) return Promise.reject(new RegistryError('unreachable', 'the node is not linked'))
    return link.ask(kind, question, timeoutMs)
  }

  keep(peers: readonly PeerNode[]): void {
    if (this.over) return
    const named = new Map(peers.filter(({ node }) => node !== this.me.node).map((peer) => [peer.node, peer]))
    for (const [node, known] of this.known) {
      if (named.has(node)) continue
      this.known.delete(node)
      this.drop(known, 'no longer among the nodes of the cluster')
    }
    for (const [node, peer] of named) {
      const known = this.known.get(node)
      if (known === undefined) this.add(peer)
      else known.peer = peer
    }
  }

  accept(socket: PeerSocket, from: string | undefined): PeerSocketEvents {
    const { clock, random } = this.deps
    const handshake = acceptHandshake(this.me, random.secret(), (node) => this.known.get(node)?.peer)
    const run = runHandshake(clock, this.options.handshakeMs, socket, handshake, {
      linked: ({ node }) => {
        this.strangers.delete(run)
        return this.link(this.known.get(node) as Known, socket)
      },
      failed: (reason, node) => {
        this.strangers.delete(run)
        this.deps.meter.count('rollcall_peer_refused_total')
        this.refused(reason, { from, node })
      },
    })
    for (const oldest of this.strangers) {
      if (this.strangers.size < this.options.strangersMax) break
      this.strangers.delete(oldest)
      oldest.cancel()
    }
    this.strangers.add(run)
    if (this.over) run.cancel()
    else socket.send(handshake.first)
    return run.events
  }

  close(reason = 'the node stops'): void {
    if (this.over) return
    this.over = true
    for (const stranger of this.strangers) stranger.cancel()
    this.strangers.clear()
    const all = [...this.known.values()]
    this.known.clear()
    for (const known of all) this.drop(known, reason)
  }

  private add(peer: PeerNode): void {
    const { me, options, diallingDeps } = this
    const dialling = dials(me.node, peer.node)
      ? new Dialling(diallingDeps, options, me, peer, (socket) => this.link(known, socket))
      : undefined
    const known: Known = { peer, dialling, link: undefined }
    this.known.set(peer.node, known)
  }

  private drop({ dialling, link }: Known, reason: string): void {
    dialling?.close()
    link?.end(PEER_CLOSE_CODES.over, reason)
  }

  /** The other side has proven itself. A link that stood before has not been noticed to be gone yet. */
  private link(known: Known, socket: PeerSocket): PeerLink {
    const { logger } = this.deps
    known.link?.end(PEER_CLOSE_CODES.replaced, 'linked anew')
    const { node, name, address } = known.peer
    const link = new PeerLink(this.deps, this.options, socket, {
      told: (message) => this.listener.told(known.peer, message),
      answer: (kind, question) => this.listener.answer(known.peer, kind, question),
      unread: (entries) => this.deps.meter.count('rollcall_peer_unread_total', entries),
      ended: (reason) => {
        if (known.link !== link) return
        known.link = undefined
        logger.info({ peer: node, name, address, reason }, 'link ended')
        this.count()
        this.listener.unlinked(known.peer)
        if (!this.over && this.known.get(node) === known) known.dialling?.ended()
      },
    })
    known.link = link
    logger.debug({ peer: node, name, address }, 'linked')
    this.count()
    this.listener.linked(known.peer)
    return link
  }

  private count(): void {
    this.deps.meter.set('rollcall_peer_links', this.linked.length)
  }
}
