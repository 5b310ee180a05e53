/**
 * This node's copy of what the engine holds: takes in what the engine says by the one merge, and knows what of memory the
 * engine does not have yet. It follows every change of the directory; a record is published when the engine holds exactly it.
 *
 * Absence deletes nothing that lives: see `absent`.
 */
import type { Change, Follower } from '../directory/change.js'
import type { Directory, Entry } from '../directory/directory.js'
import type { LivenessRules } from '../liveness/liveness.js'
import { type Declaration, declarationKey } from '../records/declaration.js'
import { isSame } from '../records/encoding.js'
import { type Learnable, unlearnable } from '../records/learnable.js'
import { isStanding } from '../records/override.js'
import type { InstanceKey, StoredRecord, Verdict } from '../records/record.js'
import { isLive } from '../records/state.js'
import { Backlog } from './backlog.js'
import { decodeDeclaration, decodeRecord, isRecordOfLaterRelease } from './codec.js'
import type { EngineEntry, EngineEvent, EngineKey } from './engine.js'
import { declarationOfKey, instanceOfKey } from './layout.js'

export interface ReplicaDeps {
  readonly directory: Directory
  readonly liveness: Pick<LivenessRules, 'silenceMs' | 'doubt'>
  /** Merges something in as learnt from another replica. */
  readonly learn: (entry: Learnable, now: number) => void
}

/** What is published: an instance, or a declaration. */
export type Published = Entry | PublishedDeclaration

/** A declaration as the engine holds it. */
export interface PublishedDeclaration {
  readonly name: string
  published: Declaration | undefined
  /** 0: the engine does not hold it. */
  revision: number
}

/** Whether the history of the engine is the one this node knew before. */
export type EngineHistory = 'known' | 'new'

/** All that the engine holds, one after the other. */
export interface ReplicaLoad {
  /** Returns whether it is a record or a declaration. */
  take(entry: EngineEntry, now: number): boolean
  /** There is no more: what was not among it is absent. Looks at a bounded part of memory; false while there is more. */
  end(now: number): boolean
}

export class Replica implements Follower {
  /** What the engine lacks. */
  readonly backlog: Backlog<Published> = new Backlog<Published>()
  private readonly deps: ReplicaDeps
  private readonly declarations = new Map<string, PublishedDeclaration>()
  /** The verdict that was learnt last of each node: most of them are equal. */
  private readonly verdicts = new Map<string, Verdict>()
  /** Something of the engine is being taken in: what changes by that is settled afterwards. */
  private taking = false
  private loaded = false
  /**
   * What the journal has, unheard, under a higher incarnation than the engine. It is not published before it is heard, or others
   * have had their time to publish what they know of it: who hears it there knows better.
   */
  private readonly ahead = new Set<Entry>()
  /** When others have had their time; Infinity on an island. */
  private aheadUntil = Infinity

  constructor(deps: ReplicaDeps) {
    this.deps = deps
  }

  // ---- what changes here -----------------------------------------------------------------------------------

  changed({ entry, cause }: Change, now: number): void {
    if (this.taking && cause.kind === 'learnt') return
    this.review(entry, now)
  }

  declared(declaration: Declaration, now: number): void {
    if (!this.taking) this.reviewDeclaration(this.held(declarationKey(declaration)), now)
  }

  forgotten(entry: Entry): void {
    this.ahead.delete(entry)
    this.backlog.settled(entry)
  }

  /** The node lost the engine, or has it again: what others know of it may come from now on. */
  isolate(island: boolean, now: number): void {
    this.aheadUntil = island ? Infinity : now + AHEAD_MS
  }

  /** Publishes what the journal alone knows of when that is due, a bounded part of it. O(1) while there is none. */
  tick(now: number): void {
    if (this.ahead.size === 0 || now < this.aheadUntil) return
    let left = AHEAD_AT_ONCE
    for (const entry of this.ahead) {
      if (left-- === 0) return
      this.ahead.delete(entry)
      this.doubt(entry, now)
      this.review(entry, now)
    }
  }

  /** Whether an entry has to be published, and no more so where the engine holds it as it is. */
  private review(entry: Entry, now: number): void {
    const { record, published, revision } = entry
    if (record === published || (revision === 0 && isUnheard(record))) this.backlog.settled(entry)
    else this.backlog.add(entry, now)
    if (!this.ahead.has(entry)) return
    const isAhead = published !== undefined && record.incarnation > published.incarnation
    if (isAhead && this.deps.liveness.silenceMs(entry, now) === undefined) this.backlog.leave(entry, Infinity)
    else this.ahead.delete(entry)
  }

  private reviewDeclaration(held: PublishedDeclaration, now: number): void {
    if (this.deps.directory.declaration(held.name) === held.published) this.backlog.settled(held)
    else this.backlog.add(held, now)
  }

  private held(name: string): PublishedDeclaration {
    let held = this.declarations.get(name)
    if (held === undefined) {
      held = { name, published: undefined, revision: 0 }
      this.declarations.set(name, held)
    }
    return held
  }

  /** What the engine is known to hold of declarations. */
  publishedDeclarations(): Iterable<PublishedDeclaration> {
    return this.declarations.values()
  }

  /** What of these has to be published is in the backlog under this. */
  *published(entries: Iterable<Learnable>): IterableIterator<Published> {
    for (const entry of entries) {
      const item =
        entry.kind === 'record'
          ? this.deps.directory.entry(entry.record)
          : this.declarations.get(declarationKey(entry))
      if (item !== undefined) yield item
    }
  }

  /** What of memory is published under this; undefined where there is nothing any more. */
  valueOf(item: Published): StoredRecord | Declaration | undefined {
    return 'name' in item ? this.deps.directory.declaration(item.name) : item.record
  }

  // ---- what the engine says --------------------------------------------------------------------------------

  /** Takes in what happened in the engine; what is known already changes nothing. */
  received(events: readonly EngineEvent[], now: number): void {
    for (const event of events) {
      if (event.kind === 'put') this.take(event, now)
      else this.dropped(event, now)
    }
  }

  /** Begins to take in all that the engine holds. In a `new` history nothing is known of it. */
  load(history: EngineHistory): ReplicaLoad {
    const { directory } = this.deps
    const found = new Set<Published>()
    let rest: Entry[] | undefined
    if (history === 'new') this.unknow()
    return {
      take: (entry, at) => {
        const item = this.take(entry, at)
        if (item !== undefined) found.add(item)
        return item !== undefined
      },
      end: (at) => {
        rest ??= [...directory.entries()]
        for (const entry of rest.splice(-ENDED_AT_ONCE))
          if (!found.has(entry) && directory.entry(entry.record) === entry) this.absent(entry, history, at)
        if (rest.length > 0) return false
        for (const declaration of [...directory.declarations()]) {
          const held = this.held(declarationKey(declaration))
          if (!found.has(held)) this.absentDeclaration(held, history, at)
        }
        this.loaded = true
        return true
      },
    }
  }

  private unknow(): void {
    for (const entry of this.deps.directory.entries()) {
      entry.revision = 0
      entry.published = undefined
    }
    for (const held of this.declarations.values()) {
      held.revision = 0
      held.published = undefined
    }
  }

  /** Takes in one key and returns what it concerns. */
  take(entry: EngineEntry, now: number): Published | undefined {
    const instance = instanceOfKey(entry.key)
    if (instance !== undefined) return this.takeRecord(instance, entry, now)
    const name = declarationOfKey(entry.key)
    return name === undefined ? undefined : this.takeDeclaration(name, entry, now)
  }

  private takeRecord(
    instance: InstanceKey,
    { value, revision }: EngineEntry,
    now: number,
  ): Entry | undefined {
    const { directory } = this.deps
    const before = directory.entry(instance)
    if (before !== undefined && revision <= before.revision) return before
    const decoded = decodeRecord(instance, value)
    const record =
      decoded === undefined || unlearnable({ kind: 'record', record: decoded }) !== undefined
        ? undefined
        : this.shared(decoded)
    if (record !== undefined) this.learn({ kind: 'record', record }, now)
    const entry = directory.entry(instance)
    if (entry === undefined) return undefined
    entry.revision = revision
    if (record !== undefined) entry.published = isSame(record, entry.record) ? entry.record : record
    // Garbage is written anew by what is known here. What a later release wrote stands: two releases would overwrite each
    // other for ever, and a change here is merged by the node that can read both.
    else entry.published = isRecordOfLaterRelease(instance, value) ? entry.record : undefined
    if (!this.loaded && record !== undefined && isLive(entry.record)) this.ahead.add(entry)
    this.review(entry, now)
    return entry
  }

  private takeDeclaration(name: string, { value, revision }: EngineEntry, now: number): PublishedDeclaration {
    const held = this.held(name)
    if (revision <= held.revision) return held
    const declaration = decodeDeclaration(name, value)
    if (declaration !== undefined && unlearnable(declaration) === undefined) this.learn(declaration, now)
    const standing = this.deps.directory.declaration(name)
    held.revision = revision
    held.published = isSame(declaration, standing) ? standing : declaration
    this.reviewDeclaration(held, now)
    return held
  }

  private learn(entry: Learnable, now: number): void {
    this.taking = true
    try {
      this.deps.learn(entry, now)
    } finally {
      this.taking = false
    }
  }

  /** The record with the names that the directory holds, and the verdict that many share: a hundred thousand are learnt. */
  private shared(record: StoredRecord): StoredRecord {
    const { service, group } = this.deps.directory.site(record)
    const { node } = record.verdict
    const known = this.verdicts.get(node)
    const verdict = known !== undefined && isSame(known, record.verdict) ? known : record.verdict
    if (verdict !== known) {
      if (this.verdicts.size >= VERDICTS_MAX) this.verdicts.clear()
      this.verdicts.set(node, verdict)
    }
    return {
      ...record,
      namespace: service?.namespace ?? record.namespace,
      service: service?.service ?? record.service,
      group: group?.group ?? record.group,
      verdict,
    }
  }

  /** A key is no longer there at a revision. */
  dropped({ key, revision }: EngineKey, now: number): void {
    const instance = instanceOfKey(key)
    if (instance === undefined) {
      const held = this.declarations.get(declarationOfKey(key) ?? '')
      if (held !== undefined && revision > held.revision) this.absentDeclaration(held, 'known', now)
      return
    }
    const entry = this.deps.directory.entry(instance)
    if (entry !== undefined && revision > entry.revision) this.absent(entry, 'seen', now)
  }

  /**
   * The engine does not hold what memory does. What was deregistered or expired and had been published is over. Where this node
   * saw the key vanish, and in a new history, everything else is published. After a time away that holds of what came while this
   * boot ran and was never published, and of what it heard within a lease; the rest may have been deregistered meanwhile: it
   * leaves the list until it registers again.
   */
  absent(entry: Entry, history: EngineHistory | 'seen', now: number): void {
    const { record } = entry
    const wasPublished = record === entry.published
    const wasHeld = entry.revision > 0
    entry.revision = 0
    entry.published = undefined
    if (entry.state === null && wasPublished && !isStanding(record.override))
      return this.deps.directory.forget(entry)
    const stays = history !== 'known' || entry.state === null || this.isVouchedFor(entry, wasHeld, now)
    if (stays) return this.review(entry, now)
    this.withdraw(record, now)
    this.deps.directory.forget(entry)
  }

  /** Takes a record out of the list by a verdict that is told to no other node. */
  private withdraw(record: StoredRecord, now: number): void {
    const { verdict } = record
    const unheard: Verdict = { ...verdict, value: 'expired', claim: verdict.claim + 1, reason: 'unheard' }
    this.learn({ kind: 'record', record: { ...record, verdict: unheard } }, now)
  }

  /**
   * Whether it may be told to a peer that may have forgotten it. What neither this node nor the peer hears of may have been
   * deregistered meanwhile, and would be listed again.
   */
  mayTell(item: Published, now: number): boolean {
    if ('name' in item || item.state === null || item.record.verdict.value === 'down') return true
    return this.isVouchedFor(item, item.revision > 0, now)
  }

  /** Whether this node knows by itself that it is there. */
  private isVouchedFor(entry: Entry, wasHeld: boolean, now: number): boolean {
    const { content, override } = entry.record
    if (isStanding(override)) return true
    const silentMs = this.deps.liveness.silenceMs(entry, now)
    if (content.intent === 'gone') return false
    // The first load finds what the journal had: only what was heard since is of this boot.
    if (!wasHeld && (this.loaded || silentMs !== undefined)) return true
    return silentMs !== undefined && (content.liveness === 'static' || silentMs < content.leaseMs)
  }

  /** The same of a declaration: what was taken back and had been published is over. */
  absentDeclaration(held: PublishedDeclaration, history: EngineHistory, now: number): void {
    const { directory } = this.deps
    const declaration = directory.declaration(held.name)
    const isOver = declaration === held.published && declaration?.register.value === null
    held.revision = 0
    held.published = undefined
    if (declaration !== undefined && !(isOver && history === 'known'))
      return this.reviewDeclaration(held, now)
    directory.forgetDeclaration(held.name)
    this.backlog.settled(held)
    this.declarations.delete(held.name)
  }

  /** Only the journal knows of it: it has to be heard before it is believed. */
  private doubt(entry: Entry, now: number): void {
    const { record } = entry
    const { liveness } = this.deps
    if (!isLive(record) || record.verdict.value !== 'up') return
    if (liveness.silenceMs(entry, now) === undefined) liveness.doubt(entry, now)
  }

  /** The engine holds what was written, at a revision; the watch may have told of a later write by then. */
  stands(item: Published, value: StoredRecord | Declaration, revision: number, now: number): void {
    if (revision < item.revision) return
    item.revision = revision
    if ('name' in item) {
      item.published = value as Declaration
      return this.reviewDeclaration(item, now)
    }
    item.published = value as StoredRecord
    if (this.deps.directory.entry(item.record) === item) this.review(item, now)
    else this.backlog.settled(item)
  }
}

/** How long others have to publish what they know: more than an engine that refused them is left alone. */
const AHEAD_MS = 6_000

/** How many are published in one tick: each is a doubt. */
const AHEAD_AT_ONCE = 500

/** How many the end of a load looks at in one turn: each may become one to publish. */
const ENDED_AT_ONCE = 5_000

/** More nodes than ever judge at a time; beyond it the memory of verdicts begins anew. */
const VERDICTS_MAX = 1_000

/** Whether silence took it: where that was never published, others need not know. */
function isUnheard({ content, verdict }: StoredRecord): boolean {
  return content.intent !== 'gone' && verdict.value === 'expired'
}
