/**
 * How durable what was done is: entries go to every sink at once, and a command is answered with the strongest level
 * that a sink has reached. Without a sink everything is in memory and nowhere else.
 */
import type { JournalEntry, JournalPort } from '@rollcall/core'
import { type Durability, RegistryError } from '@rollcall/wire'

/** A place where durable state goes. */
export type Sink = Pick<JournalPort, 'append'>

const RANK: Readonly<Record<Durability, number>> = { memory: 0, disk: 1, replicated: 2 }

export class Commits {
  private readonly sinks: Sink[] = []
  private entries: JournalEntry[] = []
  private last: Promise<Durability> | undefined

  /** From now on entries go there too. */
  attach(sink: Sink): void {
    this.sinks.push(sink)
  }

  /** Takes an entry; it is on its way with the next `write`. */
  add(entry: JournalEntry): void {
    this.entries.push(entry)
  }

  /** Whether entries wait for `write`. */
  get pending(): boolean {
    return this.entries.length > 0
  }

  /** Hands what was added to the sinks, whole and in order. */
  write(): void {
    if (!this.pending) return
    const { entries } = this
    this.entries = []
    const commit = this.append(entries).then((durability) => {
      if (this.last === commit) this.last = undefined
      return durability
    })
    this.last = commit
  }

  /** Resolves when what was written is as durable as it gets; rejects where that is less than `need`. */
  async settled(need?: Durability): Promise<Durability> {
    const durability = await (this.last ?? this.append([]))
    if (need === undefined || RANK[durability] >= RANK[need]) return durability
    throw new RegistryError('not_durable', `accepted with durability ${durability}, not ${need}`, {
      details: { durability },
    })
  }

  private async append(entries: readonly JournalEntry[]): Promise<Durability> {
    const reached = await Promise.all(this.sinks.map((sink) => appendTo(sink, entries)))
    return reached.reduce((best, level) => (RANK[level] > RANK[best] ? level : best), 'memory')
  }
}

/** A sink rejects only once it is closed: what is accepted after that is not in it. */
async function appendTo(sink: Sink, entries: readonly JournalEntry[]): Promise<Durability> {
  try {
    return await sink.append(entries)
  } catch {
    return 'memory'
  }
}
