/** What goes from memory to the engine: batches of what is unpublished, and what becomes of them. */
import type { Directory, Entry } from '../directory/directory.js'
import type { Declaration } from '../records/declaration.js'
import { isStanding } from '../records/override.js'
import type { StoredRecord } from '../records/record.js'
import { isStray } from '../records/state.js'
import { encodeDeclaration, encodeRecord } from './codec.js'
import { ENGINE_LIMITS, type EngineWrite, type EngineWritten } from './engine.js'
import { engineKeyOf, recordKey } from './layout.js'
import type { Published, Replica } from './replica.js'

export interface EnginePublicationsOptions {
  /** How long the engine holds what is hidden. */
  readonly retentionMs: number
  /** The same for what was never registered. */
  readonly strayMs: number
}

/** What one write publishes. */
interface Part {
  readonly of: Published
  readonly value: StoredRecord | Declaration
  readonly write: EngineWrite
}

/** Writes that go to the engine together. */
export interface Publication {
  readonly writes: readonly EngineWrite[]
  readonly parts: readonly Part[]
}

/** Texts are counted in characters, none of which takes more than three bytes. */
const BYTES_OF_CHARACTER_MAX = 3

export class EnginePublications {
  private readonly directory: Directory
  private readonly replica: Replica
  private readonly options: EnginePublicationsOptions

  constructor(directory: Directory, replica: Replica, options: EnginePublicationsOptions) {
    this.directory = directory
    this.replica = replica
    this.options = options
  }

  /** The oldest of what is unpublished and not under way, as much as goes at once; undefined where there is nothing. */
  next(now: number): Publication | undefined {
    const { backlog } = this.replica
    const parts: Part[] = []
    let bytes = 0
    for (const item of backlog.idle(now)) {
      if (parts.length === ENGINE_LIMITS.writesMax) break
      const part = 'name' in item ? this.partOfDeclaration(item) : this.partOf(item)
      if (part === undefined) continue
      bytes += (part.write.key.length + part.write.value.length) * BYTES_OF_CHARACTER_MAX
      if (parts.length > 0 && bytes > ENGINE_LIMITS.bytesMax) break
      parts.push(part)
    }
    if (parts.length === 0) return undefined
    for (const { of: item } of parts) backlog.begin(item)
    return { parts, writes: parts.map(({ write }) => write) }
  }

  /**
   * Takes in how a publication ended. Returns false where the engine has gone back: a key is older than this node knew it, so
   * nothing that it knows of revisions is worth anything.
   */
  written({ parts }: Publication, outcomes: readonly EngineWritten[], now: number): boolean {
    let sound = true
    for (const [index, { of: item, value, write }] of parts.entries()) {
      const outcome = outcomes[index]
      this.replica.backlog.end(item)
      if (outcome === undefined) continue
      if (outcome.ok) this.replica.stands(item, value, outcome.revision, now)
      else if (outcome.stored === undefined) {
        // Unless the watch told meanwhile that it is there again.
        if (item.revision <= write.expected) this.replica.dropped({ key: write.key, revision: Infinity }, now)
      } else if (outcome.stored.revision < write.expected) sound = false
      else this.replica.take(outcome.stored, now)
    }
    return sound
  }

  /** It is not known what became of a publication: each part is tried again. */
  failed({ parts }: Publication): void {
    for (const { of: item } of parts) this.replica.backlog.end(item)
  }

  private partOf(item: Entry): Part {
    const { record: value, revision: expected } = item
    const write = { key: recordKey(value), value: encodeRecord(value), expected, ...this.ttlOf(item) }
    return { of: item, value, write }
  }

  private partOfDeclaration(item: Exclude<Published, Entry>): Part | undefined {
    const value = this.directory.declaration(item.name)
    if (value === undefined) return undefined
    const { retentionMs: ttlMs } = this.options
    const ends = value.register.value === null ? { ttlMs } : {}
    const write = {
      key: engineKeyOf(value),
      value: encodeDeclaration(value),
      expected: item.revision,
      ...ends,
    }
    return { of: item, value, write }
  }

  /** What is hidden goes away by itself after the retention, unless an operator's word stands for whatever comes next. */
  private ttlOf({ record, state }: Entry): { readonly ttlMs?: number } {
    if (state !== null || isStanding(record.override)) return {}
    const { retentionMs, strayMs } = this.options
    return { ttlMs: isStray(record) ? Math.min(strayMs, retentionMs) : retentionMs }
  }
}
