/** A journal over a simulated disk. */
import type { JournalEntry, JournalPort } from '@rollcall/core'
import type { Durability } from '@rollcall/wire'
import type { SimProcess } from './process.js'
import type { Chance } from './random.js'
import type { EventQueue } from '@rollcall/testkit/time'

/** Entries in the log beyond which it is replaced by a snapshot. */
const LOG_MAX = 300

interface Group {
  readonly entries: readonly JournalEntry[]
  readonly resolve: (durability: Durability) => void
}

/**
 * A disk with the journal of a node. Groups are committed one after the other; a crash keeps what was committed and
 * a prefix of the group under way, and forgets the rest. A failing disk keeps nothing: everything is answered
 * `memory` until it works again and a snapshot of what the node holds was written.
 */
export class SimJournal {
  /** What a restart finds. */
  durable: JournalEntry[] = []
  /** Mean time of a commit. */
  commitMs = 2
  failing = false
  /** Entries handed over so far. */
  appended = 0
  /** How often the disk became another one, with nothing on it. */
  erasures = 0
  /** Hears of everything handed over. */
  onAppend: (entries: readonly JournalEntry[]) => void = () => {}
  private readonly queue: EventQueue
  private readonly chance: Chance
  private waiting: Group[] = []
  private writing: readonly Group[] = []
  /** Memory holds entries that the disk does not. */
  private gap = false
  private life = 0

  constructor(queue: EventQueue, chance: Chance) {
    this.queue = queue
    this.chance = chance
  }

  /** The journal as a node uses it; `snapshot` is what the node holds. */
  open(process: SimProcess, snapshot: () => Iterable<JournalEntry>): JournalPort {
    this.gap = this.failing
    return {
      append: (entries) =>
        new Promise<Durability>((resolve) => {
          this.appended += entries.length
          this.onAppend(entries)
          this.waiting.push({ entries: copyOf(entries), resolve })
          if (this.writing.length === 0) this.commit(process, snapshot)
        }),
      close: () => Promise.resolve(),
    }
  }

  /** The disk is gone: the node that starts next finds an empty one. */
  erase(): void {
    this.durable = []
    this.erasures++
  }

  /** Whether an entry that satisfies the condition would survive a crash now. */
  holds(condition: (entry: JournalEntry) => boolean): boolean {
    return this.durable.some(condition)
  }

  /** The machine stops, or the process: what was not committed is lost. */
  crash(): void {
    this.life++
    const torn = this.failing || this.gap ? [] : this.writing.flatMap(({ entries }) => entries)
    this.durable.push(...torn.slice(0, this.chance.whole(0, torn.length)))
    this.writing = []
    this.waiting = []
  }

  /** An orderly end: everything is committed. */
  close(snapshot: Iterable<JournalEntry>): void {
    if (!this.failing) this.durable = copyOf(snapshot)
    this.life++
    this.writing = []
    this.waiting = []
  }

  private commit(process: SimProcess, snapshot: () => Iterable<JournalEntry>): void {
    const { life } = this
    this.writing = this.waiting
    this.waiting = []
    this.queue.after(0.1 + this.chance.delay(this.commitMs), () => {
      if (life !== this.life) return
      const durability = this.write(snapshot)
      const done = this.writing
      this.writing = []
      if (this.waiting.length > 0) this.commit(process, snapshot)
      process.deliver(() => {
        for (const { resolve } of done) resolve(durability)
      })
    })
  }

  private write(snapshot: () => Iterable<JournalEntry>): Durability {
    if (this.failing) {
      this.gap = true
      return 'memory'
    }
    if (this.gap || this.durable.length > LOG_MAX) {
      this.durable = copyOf(snapshot())
      this.gap = false
    } else {
      for (const { entries } of this.writing) this.durable.push(...entries)
    }
    return 'disk'
  }
}

/** What comes back from a disk is equal, never the same. */
function copyOf(entries: Iterable<JournalEntry>): JournalEntry[] {
  return [...entries].map((entry) => JSON.parse(JSON.stringify(entry)) as JournalEntry)
}
