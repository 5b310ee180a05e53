/**
 * What this node tells its peers directly because the engine is too slow for it, or lost: who took over from them; on an
 * island, what cannot be published; and to an island, what it cannot hear. Peers merge it as they merge what the engine
 * says; those who have an engine publish it.
 */
import type {
  Clock,
  Declaration,
  JournalEntry,
  Learnable,
  Meter,
  PeerLinks,
  Published,
  StoredRecord,
} from '@rollcall/core'
import type { NodeDriver } from '../driver/node-driver.js'

export interface PeerRelayDeps {
  readonly clock: Clock
  readonly meter: Meter
  readonly driver: NodeDriver
  readonly links: () => PeerLinks | undefined
  /** Whether a peer said that it lost the engine. */
  readonly isIsland: (node: string) => boolean
}

/** How often an island looks what it has to say, and how much goes into one message. */
const RELAY_MS = 250
const ENTRIES_MAX = 500

/** What a peer said is left to it to publish for this long. */
const LEFT_MS = 2_000

/** Changes that wait to be told to islands; more are left to the engine, when it is back. */
const NEWS_MAX = 20_000

/** What is told of something published. */
type Value = StoredRecord | Declaration

export class PeerRelay {
  private readonly deps: PeerRelayDeps
  private takeovers: Learnable[] = []
  /** On an island, what each linked peer was told, or some peer said itself. */
  private readonly knownTo = new Map<string, WeakMap<Published, Value>>()
  private cancelTell: (() => void) | undefined
  private cancelRelay: (() => void) | undefined
  private news: Learnable[] = []
  private cancelNews: (() => void) | undefined
  private isIsland = false
  private changed = false

  constructor(deps: PeerRelayDeps) {
    this.deps = deps
  }

  /** This node judges from now on what another one did: all peers should know at once, the former judge above all. */
  tookOver(record: StoredRecord): void {
    this.takeovers.push({ kind: 'record', record })
    this.cancelTell ??= this.deps.clock.setTimer(0, () => {
      this.cancelTell = undefined
      const { takeovers } = this
      this.takeovers = []
      this.tellAll(takeovers)
    })
  }

  /** Something changed here, by whatever hand: peers that lost the engine hear of it from nowhere else. */
  share(entries: readonly JournalEntry[]): void {
    if (this.isIsland || this.islands().length === 0) return
    for (const entry of entries) {
      if (entry.kind === 'forget' || entry.kind === 'epoch') continue
      if (this.news.length < NEWS_MAX) this.news.push(entry)
      else this.deps.meter.count('rollcall_peer_dropped_total')
    }
    this.cancelNews ??= this.deps.clock.setTimer(RELAY_MS, () => this.tellNews())
  }

  private islands(): readonly string[] {
    return this.linkedPeers()
      .map(({ node }) => node)
      .filter((node) => this.deps.isIsland(node))
  }

  private tellNews(): void {
    this.cancelNews = undefined
    const { news } = this
    this.news = []
    for (const node of this.islands()) this.tell(node, news)
  }

  /** From now on, or no longer, peers hear of what is not published. */
  island(isIsland: boolean): void {
    if (isIsland === this.isIsland) return
    this.isIsland = isIsland
    this.changed = true
    this.knownTo.clear()
    if (isIsland) this.later()
    else this.cancelRelay?.()
  }

  /** Something may have changed. */
  stepped(): void {
    this.changed = true
  }

  /** A peer that is linked anew knows nothing yet. */
  linked(node: string): void {
    this.changed = true
    // A session may have moved while there was no link, and the engine may not have it yet.
    this.relayTo(node, this.isIsland ? this.known(node) : new WeakMap(), NEWS_MAX)
  }

  unlinked(node: string): void {
    this.knownTo.delete(node)
  }

  /**
   * A peer said so itself: it need not be told, and unless it lost the engine it publishes that. Where there is more to it here,
   * that is for this node to say.
   */
  learnt(entries: readonly Learnable[], from: string): void {
    const { replica } = this.deps.driver.joined
    if (!this.isIsland && this.deps.isIsland(from)) return
    const until = this.deps.clock.now() + LEFT_MS
    for (const entry of entries) {
      const told = entry.kind === 'record' ? entry.record : entry
      for (const item of replica.published([entry])) {
        if (replica.valueOf(item) !== told) continue
        if (this.isIsland) for (const { node } of this.linkedPeers()) this.known(node).set(item, told)
        else replica.backlog.leave(item, until)
      }
    }
  }

  close(): void {
    this.cancelTell?.()
    this.cancelRelay?.()
    this.cancelNews?.()
  }

  private later(): void {
    this.cancelRelay = this.deps.clock.setTimer(RELAY_MS, () => {
      if (this.changed) this.relay()
      this.later()
    })
  }

  private relay(): void {
    this.changed = false
    for (const { node } of this.linkedPeers()) this.relayTo(node, this.known(node), Infinity)
  }

  /** Tells a peer what is not published and may be told; what it does not take now is told later. */
  private relayTo(node: string, known: WeakMap<Published, Value>, max: number): void {
    const { replica } = this.deps.driver.joined
    const now = this.deps.clock.now()
    let batch: [Published, Value][] = []
    let left = max
    const flush = (): boolean => {
      const taken = this.tell(
        node,
        batch.map(([, value]) => learnable(value)),
      )
      if (taken) for (const [item, value] of batch) known.set(item, value)
      else this.changed = true
      batch = []
      return taken
    }
    for (const item of replica.backlog.all()) {
      const value = replica.valueOf(item)
      if (value === undefined || known.get(item) === value || !replica.mayTell(item, now)) continue
      batch.push([item, value])
      if (--left === 0) break
      if (batch.length === ENTRIES_MAX && !flush()) return
    }
    flush()
  }

  private known(node: string): WeakMap<Published, Value> {
    let known = this.knownTo.get(node)
    if (known === undefined) {
      known = new WeakMap()
      this.knownTo.set(node, known)
    }
    return known
  }

  private linkedPeers(): PeerLinks['linked'] {
    return this.deps.links()?.linked ?? []
  }

  private tellAll(entries: readonly Learnable[]): void {
    for (const { node } of this.linkedPeers()) this.tell(node, entries)
  }

  /** Returns whether the peer takes all of it. */
  private tell(node: string, entries: readonly Learnable[]): boolean {
    const links = this.deps.links()
    for (let at = 0; at < entries.length; at += ENTRIES_MAX) {
      const taken = links?.tell(node, { type: 'learn', entries: entries.slice(at, at + ENTRIES_MAX) })
      if (taken !== true) return false
    }
    return true
  }
}

function learnable(value: Value): Learnable {
  return 'kind' in value ? value : { kind: 'record', record: value }
}
