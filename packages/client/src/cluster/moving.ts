/** Whether a client should be with another node than the one it is with, when it tries, and where. */
import type { GoawayMessage, WelcomeMessage } from '@rollcall/wire'
import type { NodeConnection } from './node-connection.js'
import type { Nodes } from './nodes.js'
import type { LinkPauses } from './pauses.js'

/** The part of an attempt that is for the dialing itself. */
const DIALING = 0.2

export class Moving {
  private readonly nodes: Nodes
  private readonly pauses: LinkPauses
  /** When a session elsewhere is next tried. */
  at: number | undefined
  /** Where the node that is to be left says that there is room. */
  private wanted: string | undefined
  /** Attempts to make room that led nowhere. */
  private vain = 0

  constructor(nodes: Nodes, pauses: LinkPauses) {
    this.nodes = nodes
    this.pauses = pauses
  }

  /** The node asks to be left; not before `pauseMs`. */
  asked(now: number, active: NodeConnection, goaway: GoawayMessage, pauseMs: number): void {
    const { reason, afterMs, to } = goaway
    active.leaving = reason === 'rebalance' ? 'rebalance' : 'stopping'
    this.vain = 0
    this.wanted = to === undefined ? undefined : this.nodes.urlOf(to, active.url)
    this.at = now + Math.max(pauseMs, this.pauses.within(afterMs * (1 - DIALING)))
  }

  /** The node says whether it has lost the others. */
  hinted(now: number, { leaving, island }: NodeConnection): void {
    if (leaving !== undefined) return
    this.at = island ? (this.at ?? now + this.pauses.within(1_000)) : undefined
  }

  /** An attempt begins: where to. */
  begin(): string {
    const { wanted } = this
    this.at = undefined
    this.wanted = undefined
    return wanted ?? this.nodes.next(true)
  }

  /** Whether a session with that node should take the place of the active one. */
  isBetter({ node, island }: WelcomeMessage, active: NodeConnection | undefined): boolean {
    if (active === undefined) return true
    // By another way to the same node.
    if (node === active.welcome?.node && this.nodes.hasOther) return false
    return active.leaving === 'stopping' || (!island && (active.island || active.leaving === 'rebalance'))
  }

  /** An attempt led nowhere. A client that should make room stays when it has tried everything. */
  failed(now: number, active: NodeConnection | undefined): void {
    if (active?.leaving === 'rebalance' && ++this.vain >= this.nodes.round) active.leaving = undefined
    if (active?.leaving !== undefined) this.at = now + this.pauses.backoff(2)
    else if (active?.island === true) this.at = now + this.pauses.look()
  }

  /** The client has moved, or the node is gone. */
  over(): void {
    this.at = undefined
    this.wanted = undefined
  }
}
