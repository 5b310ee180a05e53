/** An engine by hand: keys with revisions, and nodes that are told of what happens when a test says so. */
import { Simulation, type SimulationOptions } from '../simulated-node.fixture.js'
import type { EngineEvent, EngineWrite, EngineWritten } from './engine.js'
import type { EngineHistory } from './replica.js'

export class Store {
  revision = 0
  readonly keys = new Map<string, { value: string; revision: number; ttlMs: number | undefined }>()
  readonly events: EngineEvent[] = []

  write(writes: readonly EngineWrite[]): EngineWritten[] {
    return writes.map(({ key, value, expected, ttlMs }) => {
      const stored = this.keys.get(key)
      if ((stored?.revision ?? 0) !== expected)
        return { ok: false, stored: stored && { key, value: stored.value, revision: stored.revision } }
      this.revision++
      this.keys.set(key, { value, revision: this.revision, ttlMs })
      this.events.push({ kind: 'put', key, value, revision: this.revision })
      return { ok: true, revision: this.revision }
    })
  }

  delete(key: string): void {
    if (!this.keys.delete(key)) return
    this.events.push({ kind: 'delete', key, revision: ++this.revision })
  }

  /** What has a time ends: all of it at once. */
  expire(): void {
    for (const [key, { ttlMs }] of [...this.keys]) if (ttlMs !== undefined) this.delete(key)
  }

  /** Begins with nothing. */
  wipe(): void {
    this.keys.clear()
    this.events.length = 0
    this.revision = 0
  }

  only(): { key: string; value: Record<string, unknown>; revision: number; ttlMs: number | undefined } {
    const [entry, ...more] = this.keys
    if (entry === undefined || more.length > 0) throw new Error(`the store has ${this.keys.size} keys`)
    const [key, { value, revision, ttlMs }] = entry
    return { key, value: JSON.parse(value) as Record<string, unknown>, revision, ttlMs }
  }
}

/** A node that is joined to a store; what it says and hears is carried when the test says so. */
export class JoinedNode {
  readonly sim: Simulation
  readonly store: Store
  /** How many events of the store it was told of. */
  private told = 0

  constructor(store: Store, nodeId: string, options: SimulationOptions = {}) {
    this.sim = new Simulation({ nodeId, joined: true, ...options })
    this.sim.network = () => 'silence'
    this.store = store
  }

  get joined(): NonNullable<Simulation['node']['joined']> {
    const { joined } = this.sim.node
    if (joined === undefined) throw new Error('the node is by itself')
    return joined
  }

  get unpublished(): number {
    return this.joined.replica.backlog.size
  }

  load(history: EngineHistory): void {
    const { now } = this.sim
    const load = this.joined.replica.load(history)
    for (const [key, { value, revision }] of this.store.keys) load.take({ key, value, revision }, now)
    while (!load.end(now));
    this.told = this.store.events.length
  }

  /** Publishes one batch. Returns how many writes it had. */
  publish(): number {
    const publication = this.joined.publications.next(this.sim.now)
    if (publication === undefined) return 0
    this.joined.publications.written(publication, this.store.write(publication.writes), this.sim.now)
    return publication.writes.length
  }

  /** Is told of up to so many events. */
  hear(count = Infinity): void {
    const end = Math.min(this.store.events.length, this.told + count)
    this.joined.replica.received(this.store.events.slice(this.told, end), this.sim.now)
    this.told = end
  }

  /** The same node with what its journal had, as after a restart. */
  restarted(nodeId: string, options: SimulationOptions = {}): JoinedNode {
    const journal = JSON.parse(JSON.stringify([...this.sim.node.snapshot()])) as typeof this.sim.entries
    const next = new JoinedNode(this.store, nodeId, options)
    next.sim.now = this.sim.now
    next.sim.node.load(journal, next.sim.now)
    return next
  }
}

/** Until nothing is new to any of them. Returns how many writes that took. */
export function settle(...nodes: readonly JoinedNode[]): number {
  let writes = 0
  for (let round = 0; round < 50; round++) {
    let busy = 0
    for (const node of nodes) {
      node.hear()
      busy += node.publish()
    }
    writes += busy
    if (busy === 0) return writes
  }
  throw new Error('the nodes do not come to rest')
}
