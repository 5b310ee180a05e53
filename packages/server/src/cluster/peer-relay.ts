/**
 * What this node tells its peers directly because the engine is too slow for it, or lost: who took over from them; on an
 * island, what cannot be published; and to an island, what it cannot hear. Peers merge it as they merge what the engine
 * says; those who have an engine publish it.
 */
import type { Clock, JournalEntry, Learnable, PeerLinks, StoredRecord } from '@rollcall/core'
import type { NodeDriver } from '../driver/node-driver.js'

export interface PeerRelayDeps {
  readonly clock: Clock
  readonly driver: NodeDriver
  readonly links: () => PeerLinks | undefined
  /** Whether a peer said that it lost the engine. */
  readonly isIsland: (node: string) => boolean
}

/** How often an island looks what it has to say, and how much goes into one message. */
const RELAY_MS = 250
const ENTRIES_MAX = 500

/** Changes that wait to be told to islands; more are left to the engine, when it is back. */
const NEWS_MAX = 20_000

export class PeerRelay {
  private readonly deps: PeerRelayDeps
  private takeovers = new Map<string, StoredRecord[]>()
  /** What was told, or learnt from peers, since the engine was lost. */
  private readonly relayed = new Map<unknown, unknown>()
  private cancelTell: (() => void) | undefined
  private cancelRelay: (() => void) | undefined
  private news: Learnable[] = []
  private cancelNews: (() => void) | undefined
  private isIsland = false
  private changed = false

  constructor(deps: PeerRelayDeps) {
    this.deps = deps
  }

  /** This node took over what another one judged. */
  tookOver(from: string, record: StoredRecord): void {
    if (this.deps.links()?.linked.every(({ node }) => node !== from) !== false) return
    const records = this.takeovers.get(from) ?? []
    records.push(record)
    this.takeovers.set(from, records)
    this.cancelTell ??= this.deps.clock.setTimer(0, () => this.tellTakeovers())
  }

  private tellTakeovers(): void {
    this.cancelTell = undefined
    const { takeovers } = this
    this.takeovers = new Map()
    for (const [node, records] of takeovers) {
      this.tell(
        node,
        records.map((record) => ({ kind: 'record', record })),
      )
    }
  }

  /** Something changed here, by whatever hand: peers that lost the engine hear of it from nowhere else. */
  share(entries: readonly JournalEntry[]): void {
    if (this.isIsland || this.islands().length === 0) return
    for (const entry of entries)
      if (entry.kind !== 'forget' && entry.kind !== 'epoch' && this.news.length < NEWS_MAX)
        this.news.push(entry)
    this.cancelNews ??= this.deps.clock.setTimer(RELAY_MS, () => this.tellNews())
  }

  private islands(): readonly string[] {
    const linked = this.deps.links()?.linked ?? []
    return linked.map(({ node }) => node).filter((node) => this.deps.isIsland(node))
  }

  private tellNews(): void {
    this.cancelNews = undefined
    const { news } = this
    this.news = []
    for (let at = 0; at < news.length; at += ENTRIES_MAX)
      for (const node of this.islands()) this.tell(node, news.slice(at, at + ENTRIES_MAX))
  }

  /** From now on, or no longer, peers hear of what is not published. */
  island(isIsland: boolean): void {
    if (isIsland === this.isIsland) return
    this.isIsland = isIsland
    this.changed = true
    this.relayed.clear()
    if (isIsland) this.later()
    else this.cancelRelay?.()
  }

  /** Something may have changed. */
  stepped(): void {
    this.changed = true
  }

  /** A peer that is linked anew knows nothing yet. */
  linked(): void {
    this.relayed.clear()
    this.changed = true
  }

  /** Peers said so themselves: they need not be told. */
  learnt(entries: readonly Learnable[]): void {
    if (!this.isIsland) return
    const { replica } = this.deps.driver.joined
    for (const item of replica.published(entries)) this.relayed.set(item, replica.valueOf(item))
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
    const linked = this.deps.links()?.linked ?? []
    if (linked.length === 0) return
    this.changed = false
    const { replica } = this.deps.driver.joined
    let entries: Learnable[] = []
    const flush = (): void => {
      for (const { node } of linked) this.tell(node, entries)
      entries = []
    }
    for (const item of replica.backlog.all()) {
      const value = replica.valueOf(item)
      if (value === undefined || this.relayed.get(item) === value) continue
      this.relayed.set(item, value)
      entries.push('kind' in value ? value : { kind: 'record', record: value })
      if (entries.length === ENTRIES_MAX) flush()
    }
    if (entries.length > 0) flush()
  }

  private tell(node: string, entries: readonly Learnable[]): void {
    this.deps.links()?.tell(node, { type: 'learn', entries })
  }
}
