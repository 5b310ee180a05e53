/** Follows the lists of services at several nodes at once, and notes every moment in which one that lives was not up in it. */
import type { Delta, View } from '@rollcall/wire'
import { openStream, type StreamPeer } from '../subscribers.js'
import type { ClusterNodeProcess } from './cluster.js'
import type { Seen } from './witnesses.js'

/** What a node said of an instance that lives. */
export interface Doubt {
  readonly node: string
  readonly id: string
  readonly state: Seen
  readonly reason?: string | undefined
  /** Milliseconds since the census began. */
  readonly atMs: number
}

export interface Census {
  readonly doubts: readonly Doubt[]
  /** These live: a list without them is wrong from now on. */
  expect(ids: readonly string[]): void
  /** These may go. */
  release(ids: readonly string[]): void
  /** Deltas and lists that came in, over all nodes. */
  readonly updates: number
  /** What the mirrors found wrong. */
  readonly faults: readonly string[]
  forget(): void
  close(): void
}

const AGAIN_MS = 50

/** Begins at these nodes. A stream that ends with its node is opened again when that is back. */
export async function openCensus(
  nodes: readonly ClusterNodeProcess[],
  ...services: readonly string[]
): Promise<Census> {
  const census = new Streams(services)
  await Promise.all(nodes.map((node) => census.follow(node)))
  return census
}

class Streams implements Census {
  readonly doubts: Doubt[] = []
  readonly faults: string[] = []
  updates = 0
  private readonly services: readonly string[]
  /** With the service of each, once a list has shown it. */
  private readonly living = new Map<string, string>()
  private readonly peers = new Map<string, StreamPeer>()
  private readonly startedAt = performance.now()
  private closed = false

  constructor(services: readonly string[]) {
    this.services = services
  }

  async follow(node: ClusterNodeProcess): Promise<void> {
    const peer = await openStream(node)
    this.peers.set(node.name, peer)
    peer.onChange((update) => this.note(node.name, update))
    peer.ws.once('close', () => {
      this.faults.push(...peer.faults.map((fault) => `${node.name}: ${fault}`))
      this.again(node)
    })
    const services = this.services.map((service) => ({ service }))
    await peer.ask({ type: 'watch', services }).catch(() => {})
  }

  expect(ids: readonly string[]): void {
    for (const id of ids) this.living.set(id, '')
  }

  release(ids: readonly string[]): void {
    for (const id of ids) this.living.delete(id)
  }

  forget(): void {
    this.doubts.length = 0
    this.updates = 0
  }

  close(): void {
    this.closed = true
    for (const peer of this.peers.values()) peer.drop()
  }

  private again(node: ClusterNodeProcess): void {
    if (this.closed) return
    setTimeout(() => {
      if (!this.closed) this.follow(node).catch(() => this.again(node))
    }, AGAIN_MS)
  }

  private note(node: string, update: View | Delta): void {
    this.updates++
    const isView = 'instances' in update
    const shown = isView ? update.instances : update.upserts
    for (const { id, state, reason } of shown) if (state !== 'up') this.doubt(node, id, state, reason)
    if (!isView) for (const { id } of update.removes) this.doubt(node, id, 'gone')
    for (const { id } of shown) if (this.living.has(id)) this.living.set(id, update.service)
    if (!isView) return
    const ids = new Set(update.instances.map(({ id }) => id))
    for (const [id, service] of this.living)
      if (service === update.service && !ids.has(id)) this.doubt(node, id, 'gone')
  }

  private doubt(node: string, id: string, state: Seen, reason?: string): void {
    if (!this.living.has(id)) return
    this.doubts.push({ node, id, state, reason, atMs: Math.round(performance.now() - this.startedAt) })
  }
}
