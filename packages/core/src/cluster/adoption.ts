/**
 * Adoption: what a node judged that is gone from the engine is judged by another one. All nodes rank themselves for each
 * instance in the same way, and each waits longer the further behind it stands, so that one adopts and none has to agree
 * with any other. Should two adopt at once, the merge keeps one of them.
 */
import type { Change, Follower } from '../directory/change.js'
import type { Directory, Entry } from '../directory/directory.js'
import type { LivenessRules } from '../liveness/liveness.js'
import { hash64 } from '../records/hash.js'
import type { StoredRecord } from '../records/record.js'
import { isLive } from '../records/state.js'
import type { PeerNode } from './peers.js'

export interface AdoptionOptions {
  /** How long the first in rank waits after a node is gone: its sessions move meanwhile, and what they claim is not written twice. */
  readonly waitMs: number
  /** How much longer each further one waits: enough for an adoption to be written, and learnt by all. */
  readonly rankMs: number
  /** How often orphans that were left are looked for again. */
  readonly sweepMs: number
  /** Records looked at in one tick. */
  readonly looksMax: number
  /** Instances adopted in one tick: each is a write. */
  readonly adoptionsMax: number
}

export const ADOPTION_DEFAULTS: AdoptionOptions = {
  waitMs: 3_000,
  rankMs: 3_000,
  sweepMs: 60_000,
  looksMax: 2_000,
  adoptionsMax: 500,
}

export interface AdoptionDeps {
  readonly directory: Directory
  readonly liveness: LivenessRules
  /** Id of this node. */
  readonly nodeId: string
}

/** A judge that is gone from the engine. */
interface Lost {
  /** When that was known. */
  readonly since: number
  /** From when on what it heard before would have been heard here, in judged time. */
  readonly watchedAt: number
}

export class Adoption implements Follower {
  private readonly deps: AdoptionDeps
  private readonly options: AdoptionOptions
  /** How many instances each node judges. */
  private readonly tally = new Map<string, number>()
  /** Nodes with a key in the engine; undefined before that was told. */
  private nodes: ReadonlyMap<string, PeerNode> | undefined
  /** What operators called nodes that are gone, as long as they are judges. */
  private readonly names = new Map<string, string>()
  private readonly lost = new Map<string, Lost>()
  /** Nodes whose links ended, and when, in judged time. */
  private readonly silentAt = new Map<string, number>()
  private island = false
  /** The scan that is under way. */
  private scan: Iterator<Entry> | undefined
  private nextScanAt = Infinity
  /** When the scan under way has to be repeated, because of what had to wait. */
  private againAt = Infinity

  constructor(deps: AdoptionDeps, options: AdoptionOptions = ADOPTION_DEFAULTS) {
    this.deps = deps
    this.options = options
  }

  /** How many instances a node judges. */
  judges(node: string): number {
    return this.tally.get(node) ?? 0
  }

  /** These nodes, and no others, have a key in the engine, this one among them. */
  live(nodes: readonly PeerNode[], now: number): void {
    const before = this.nodes
    this.nodes = new Map(nodes.map((node) => [node.node, node]))
    for (const { node, name } of before?.values() ?? [])
      if (name !== undefined && this.tally.has(node)) this.names.set(node, name)
    for (const { node } of nodes) {
      this.lost.delete(node)
      this.names.delete(node)
    }
    for (const node of this.silentAt.keys())
      if (!this.nodes.has(node) && !this.tally.has(node)) this.silentAt.delete(node)
    for (const node of this.tally.keys()) this.missed(node, now)
  }

  /** The link to a node ended: what it heard before is heard elsewhere from now on, or not at all. */
  silent(node: string, now: number): void {
    this.silentAt.set(node, this.deps.liveness.judgedTime(now))
  }

  /** The link to a node stands. */
  heard(node: string): void {
    this.silentAt.delete(node)
  }

  /** The node lost the engine: it adopts nothing. Or it has it again: others may be as late in coming back. */
  isolate(island: boolean, now: number): void {
    if (island === this.island) return
    this.island = island
    if (island) return
    const judges = [...this.lost.keys()]
    this.lost.clear()
    for (const node of judges) this.missed(node, now)
  }

  /** Adopts what is due, a bounded part of it. O(1) while no judge is lost. */
  tick(now: number): void {
    if (this.island || this.lost.size === 0 || this.nodes?.has(this.deps.nodeId) !== true) return
    if (this.scan === undefined) {
      if (now < this.nextScanAt) return
      this.scan = this.deps.directory.entries()
      this.againAt = now + this.options.sweepMs
    }
    let looks = this.options.looksMax
    let adoptions = this.options.adoptionsMax
    while (looks-- > 0 && adoptions > 0) {
      const { done, value } = this.scan.next()
      if (done === true) {
        this.scan = undefined
        this.nextScanAt = this.againAt
        return
      }
      if (this.adopts(value, now)) adoptions--
    }
  }

  changed({ entry, previous }: Change, now: number): void {
    const { record } = entry
    const same = previous !== undefined && isJudged(previous) && isJudged(record)
    if (same && previous.verdict.node === record.verdict.node) return
    if (previous !== undefined) this.count(previous, -1)
    this.noted(entry, now)
  }

  forgotten({ record }: Entry): void {
    this.count(record, -1)
  }

  /** An entry is held that was not before, or its record is another one. */
  noted({ record }: Entry, now: number): void {
    this.count(record, 1)
    const { node } = record.verdict
    if (this.nodes?.has(node) === false && !this.lost.has(node)) this.missed(node, now)
  }

  private count(record: StoredRecord, by: 1 | -1): void {
    if (!isJudged(record)) return
    const { node } = record.verdict
    const count = this.judges(node) + by
    if (count > 0) this.tally.set(node, count)
    else {
      this.tally.delete(node)
      this.names.delete(node)
      this.lost.delete(node)
    }
  }

  /** A node that judges has no key in the engine: its instances are orphans, unless it comes back in time. */
  private missed(node: string, now: number): void {
    if (this.nodes?.has(node) !== false || this.lost.has(node) || !this.tally.has(node)) return
    const watchedAt = this.silentAt.get(node) ?? this.deps.liveness.judgedTime(now)
    this.lost.set(node, { since: now, watchedAt })
    this.due(now + this.options.waitMs)
  }

  /** Something may have to be adopted at that time. */
  private due(at: number): void {
    this.nextScanAt = Math.min(this.nextScanAt, at)
    this.againAt = Math.min(this.againAt, at)
  }

  private adopts(entry: Entry, now: number): boolean {
    const { record } = entry
    const lost = this.lost.get(record.verdict.node)
    if (lost === undefined || !isJudged(record)) return false
    const { waitMs, rankMs } = this.options
    const dueAt = lost.since + waitMs + this.rank(record) * rankMs
    if (now < dueAt) {
      this.againAt = Math.min(this.againAt, dueAt)
      return false
    }
    this.deps.liveness.adopt(entry, lost.watchedAt, now)
    return true
  }

  /** How many nodes come before this one: the next boot of the judge itself, and those with a higher hash. */
  private rank({ namespace, service, group, id, verdict }: StoredRecord): number {
    const key = `${namespace}/${service}/${group}/${id}`
    const own = this.deps.nodeId
    const standings = [...(this.nodes?.values() ?? [])].map((node) => ({
      node: node.node,
      heir: this.isHeir(node, verdict.node),
      hash: hash64(`${key} ${node.node}`),
    }))
    const mine = standings.find(({ node }) => node === own)
    if (mine === undefined) return standings.length
    return standings.filter((other) => other.node !== own && comesBefore(other, mine)).length
  }

  /** Whether a node is the next boot of another: it has the name that it had, with which ids begin. */
  private isHeir({ name }: PeerNode, judge: string): boolean {
    return name !== undefined && (this.names.get(judge) === name || judge.startsWith(`${name}.`))
  }
}

interface Standing {
  readonly node: string
  readonly heir: boolean
  readonly hash: { readonly hi: number; readonly lo: number }
}

function comesBefore(one: Standing, other: Standing): boolean {
  if (one.heir !== other.heir) return one.heir
  if (one.hash.hi !== other.hash.hi) return one.hash.hi > other.hash.hi
  if (one.hash.lo !== other.hash.lo) return one.hash.lo > other.hash.lo
  return one.node > other.node
}

/** Whether anything depends on the judge of a record: not of what is hidden, unless its own probes may bring it back. */
function isJudged(record: StoredRecord): boolean {
  if (!isLive(record)) return false
  return record.verdict.value !== 'expired' || record.content.liveness === 'probe'
}
