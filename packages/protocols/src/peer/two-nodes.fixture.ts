/** Nodes with links over memory: who was linked, and what was told. */
import { createHash } from 'node:crypto'
import { NO_METER, type Logger, type PeerListener, type PeerMessage, type PeerNode } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { createPeers, type Peers } from './handlers.js'
import { MemoryNetwork } from './memory-sockets.fixture.js'
import { type PeerOptions, resolvePeerOptions } from './options.js'

export const SECRET = 'a secret of the cluster'

/** A node of the test. */
export interface TestNode {
  readonly self: PeerNode
  readonly peers: Peers
  /** `+b` and `-b`, in order. */
  readonly links: string[]
  readonly told: PeerMessage[]
  readonly lines: string[]
  /** Answers questions; may be replaced. */
  answer: PeerListener['answer']
}

/** A world of nodes. */
export class TestNodes {
  readonly clock: HandClock
  readonly network: MemoryNetwork
  private count = 0

  constructor() {
    this.clock = new HandClock()
    this.network = new MemoryNetwork(this.clock)
  }

  node(
    id: string,
    {
      secret = SECRET,
      epoch = 'e1',
      options = {},
    }: { secret?: string; epoch?: string; options?: PeerOptions } = {},
  ): TestNode {
    const self: PeerNode = { node: id, address: `${id}:7400`, version: '1.0.0' }
    const links: string[] = []
    const told: PeerMessage[] = []
    const lines: string[] = []
    const listener: PeerListener = {
      linked: ({ node }) => void links.push(`+${node}`),
      unlinked: ({ node }) => void links.push(`-${node}`),
      told: (_peer, message) => void told.push(message),
      answer: (peer, kind, question) => node.answer(peer, kind, question),
    }
    const line = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      void lines.push(`${message}: ${String(fields.reason)}`)
    const logger: Logger = { error: line, warn: line, info() {}, debug() {} }
    const random = {
      fraction: () => 0.5,
      secret: () =>
        createHash('sha256')
          .update(`${id} ${this.count++}`)
          .digest('hex'),
    }
    const peers = createPeers(
      { clock: this.clock, random, logger, meter: NO_METER, dial: this.network.dial },
      resolvePeerOptions(options),
      { node: id, secret, epoch },
      listener,
    )
    this.network.listen(self.address, (socket) => peers.accept(socket, '10.0.0.9'))
    const node: TestNode = {
      self,
      peers,
      links,
      told,
      lines,
      answer: () => Promise.reject(new Error('not asked')),
    }
    return node
  }

  /** Nodes of which each knows all others. */
  linked(...nodes: readonly TestNode[]): void {
    for (const { peers } of nodes) peers.keep(nodes.map(({ self }) => self))
    this.clock.advance(100)
  }
}

/** Two nodes that are linked: a, which dials, and b. */
export function pair(options: PeerOptions = {}): {
  readonly nodes: TestNodes
  readonly a: TestNode
  readonly b: TestNode
} {
  const nodes = new TestNodes()
  const a = nodes.node('a', { options })
  const b = nodes.node('b', { options })
  nodes.linked(a, b)
  return { nodes, a, b }
}
