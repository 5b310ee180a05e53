/**
 * How durable what was done is: entries go to every sink at once, and a command is answered with the strongest level
 * that a sink has reached for all of its own items. Without a sink everything is in memory and nowhere else.
 */
import type { Clock, JournalEntry, JournalPort, StoredRecord } from '@rollcall/core'
import { type Durability, RegistryError } from '@rollcall/wire'

/** A place where durable state goes. It bounds by itself how long an answer takes; one that hangs holds up no other. */
export interface Sink extends Pick<JournalPort, 'append'> {
  /**
   * How durable records are that it took before, or gets in time, as `append` does; where it answered less than its best for them, that
   * may have changed since. Without it they are as durable as what it takes now.
   */
  kept?(records: readonly StoredRecord[]): Promise<Durability>
}

const RANK: Readonly<Record<Durability, number>> = { memory: 0, disk: 1, replicated: 2 }

/** Once a sink has made it durable, a stronger one is waited for this long. */
const STRONGER_MS_MAX = 250

/** Once a sink has answered, the others are waited for this long where that is not enough. */
const NEEDED_MS_MAX = 10_000

/** How a sink is waited for. */
export interface SinkOptions {
  /**
   * It takes the entries to others, behind what is served: only what has nothing else to bring it back waits for it, and no
   * longer than for a stronger level. Default false.
   */
  readonly behind?: boolean
}

/** How long an answer waits. */
export interface Patience {
  /** Rejects where it is less durable. */
  readonly need?: Durability | undefined
  /** Waits also for sinks that are behind. Default true. */
  readonly patient?: boolean
}

/** What one `write` handed over, on its way to every sink. */
export class Commit {
  /** What it writes, in the order in which it came. */
  readonly entries: readonly JournalEntry[]
  /** The strongest level so far. */
  level: Durability = 'memory'
  /** Sinks that have still to answer. */
  due: number
  /** Those of them that are not behind. */
  near: number
  /** Sinks that have answered. */
  answers = 0
  /** Told of each answer. */
  readonly listeners: Set<() => void> = new Set()
  private records: Set<StoredRecord> | undefined

  constructor(entries: readonly JournalEntry[], due: number, near: number) {
    this.entries = entries
    this.due = due
    this.near = near
  }

  /** Whether it writes this very record. Most commits are never asked. */
  has(record: StoredRecord): boolean {
    this.records ??= new Set(this.entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record] : [])))
    return this.records.has(record)
  }

  answered(level: Durability, behind: boolean): void {
    this.due--
    this.answers++
    if (!behind) this.near--
    if (RANK[level] > RANK[this.level]) this.level = level
    for (const listener of [...this.listeners]) listener()
  }
}

export class Commits {
  private readonly clock: Pick<Clock, 'setTimer'>
  private readonly sinks: { readonly sink: Sink; readonly behind: boolean }[] = []
  private entries: JournalEntry[] = []
  /** Commits of which a sink has still to answer. */
  private readonly underWay = new Set<Commit>()

  constructor(clock: Pick<Clock, 'setTimer'>) {
    this.clock = clock
  }

  /** From now on entries go there too. */
  attach(sink: Sink, { behind = false }: SinkOptions = {}): void {
    this.sinks.push({ sink, behind })
  }

  /** Takes an entry; it is on its way with the next `write`. */
  add(entry: JournalEntry): void {
    this.entries.push(entry)
  }

  /** Whether entries wait for `write`. */
  get pending(): boolean {
    return this.entries.length > 0
  }

  /** Hands what was added to the sinks, whole and in order. Undefined when nothing was. */
  write(): Commit | undefined {
    if (!this.pending) return undefined
    const { entries } = this
    this.entries = []
    return this.hand(entries)
  }

  /**
   * Resolves with how durable a step has become that left this commit behind, and concerned these records too, which it did
   * not write: they may be on their way by an earlier step. The weakest of its own items decides;
   * others on their way neither hold it up nor weaken it. Rejects with `not_durable` where that is less than `need`.
   */
  async settled(
    own: Commit | undefined,
    records: () => Iterable<StoredRecord>,
    patience: Patience = {},
  ): Promise<Durability> {
    const { need } = patience
    const others = this.othersOf(own, records)
    const first = own ?? others.pop() ?? this.look([])
    const level = this.over(first, patience)
    const durability =
      others.length === 0
        ? await level
        : weakestOf(await Promise.all([level, ...others.map((commit) => this.over(commit, patience))]))
    if (need === undefined || RANK[durability] >= RANK[need]) return durability
    throw new RegistryError('not_durable', `accepted with durability ${durability}, not ${need}`, {
      details: { durability },
    })
  }

  /** Commits by earlier steps that have records of this one on their way, and what became of those that are not. */
  private othersOf(own: Commit | undefined, records: () => Iterable<StoredRecord>): Commit[] {
    const others: Commit[] = []
    if (this.underWay.size === 0 && this.sinks.every(({ sink }) => sink.kept === undefined)) return others
    const rest: StoredRecord[] = []
    for (const record of records()) {
      let isOnItsWay = false
      for (const commit of this.underWay) {
        if (!commit.has(record)) continue
        isOnItsWay = true
        if (commit !== own && !others.includes(commit)) others.push(commit)
      }
      if (!isOnItsWay) rest.push(record)
    }
    if (rest.length > 0) others.push(this.look(rest))
    return others
  }

  private hand(entries: readonly JournalEntry[]): Commit {
    return this.ask(entries, (sink) => sink.append(entries))
  }

  /** How durable records are that are not on their way. */
  private look(records: readonly StoredRecord[]): Commit {
    return this.ask([], (sink) => sink.kept?.(records) ?? sink.append([]))
  }

  private ask(entries: readonly JournalEntry[], answer: (sink: Sink) => Promise<Durability>): Commit {
    const { sinks } = this
    const commit = new Commit(entries, sinks.length, sinks.filter(({ behind }) => !behind).length)
    if (commit.due > 0) this.underWay.add(commit)
    for (const { sink, behind } of sinks) void this.answer(commit, answer(sink), behind)
    return commit
  }

  private async answer(commit: Commit, answer: Promise<Durability>, behind: boolean): Promise<void> {
    commit.answered(await answerOf(answer), behind)
    if (commit.due === 0) this.underWay.delete(commit)
  }

  /** Waits until a commit has what is needed, or as much as it gets in time. */
  private over(commit: Commit, { need = 'memory', patient = true }: Patience): Promise<Durability> {
    if (commit.due === 0) return Promise.resolve(commit.level)
    return new Promise((resolve) => {
      let cancel = (): void => {}
      const finish = (): void => {
        cancel()
        commit.listeners.delete(look)
        resolve(commit.level)
      }
      const look = (): void => {
        const { level, due, near } = commit
        if (due === 0 || (need !== 'memory' && RANK[level] >= RANK[need])) return finish()
        if (need === 'memory' && near === 0 && !patient) return finish()
        cancel()
        const durable = need === 'memory' && (level !== 'memory' || near === 0)
        cancel = this.clock.setTimer(durable ? STRONGER_MS_MAX : NEEDED_MS_MAX, finish)
      }
      commit.listeners.add(look)
      if (commit.answers > 0) look()
    })
  }
}

/** The weakest of some levels. */
export function weakestOf(levels: readonly Durability[]): Durability {
  return levels.reduce((weakest, level) => (RANK[level] < RANK[weakest] ? level : weakest))
}

/** A sink rejects only once it is closed: what is accepted after that is not in it. */
async function answerOf(answer: Promise<Durability>): Promise<Durability> {
  try {
    return await answer
  } catch {
    return 'memory'
  }
}
