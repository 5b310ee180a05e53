/** The engine of a cluster: a store in memory, the line of each node to it, and what can happen to both. */
import {
  type Clock,
  encode,
  type Declaration,
  type EngineEntry,
  type EnginePort,
  nodeKey,
  type StoredRecord,
} from '@rollcall/core'
import {
  createMemoryEngine,
  createMemoryStore,
  type MemoryBackup,
  type MemoryLine,
  type MemoryStore,
} from '@rollcall/storage'
import type { EventQueue } from '@rollcall/testkit/time'
import type { Chance } from './random.js'
import type { SimProcess } from './process.js'
import type { SimRegistry } from './registry.js'

/** What a node wrote. */
export interface EngineWriting {
  readonly at: number
  /** Name of the process. */
  readonly by: string
  readonly texts: readonly string[]
}

/** The way of a node to the engine, over all its lives. */
interface Way {
  cuts: number
  delays: number[]
  losing: number
  /** Since when nothing comes through. */
  lostAt: number | undefined
  line: MemoryLine | undefined
}

/** Kept of what was written: the last ones, and some hundred more than a quiet minute may have. */
const WRITES_MAX = 2_000

export class SimEngine {
  readonly store: MemoryStore
  /** When something last happened to what it holds, other than by nodes. */
  troubledAt: number = -Infinity
  private readonly queue: EventQueue
  private readonly chance: Chance
  private readonly ways = new Map<SimProcess, Way>()
  private written: EngineWriting[] = []
  private kept: MemoryBackup | undefined
  private wholly: number | undefined

  constructor(queue: EventQueue, chance: Chance) {
    this.queue = queue
    this.chance = chance
    this.store = createMemoryStore(clockOf(queue))
  }

  /** The engine as a life of a node reaches it. */
  connect(process: SimProcess): EnginePort {
    const way = this.wayOf(process)
    const chance = this.chance.fork(`${process.name} ${process.life}`)
    const engine = createMemoryEngine(
      this.store,
      { clock: clockOfLife(process) },
      { latencyMs: () => 0.3 + chance.delay(1) },
    )
    way.line = engine.line
    this.apply(way)
    return {
      join: (offer) => engine.join(offer),
      load: (page) => engine.load(page),
      scan: (page) => engine.scan(page),
      read: (keys) => engine.read(keys),
      watch: (revision, watcher) => engine.watch(revision, watcher),
      write: async (epoch, writes) => {
        const outcomes = await engine.write(epoch, writes)
        const texts = writes.filter((_, at) => outcomes[at]?.ok).map(({ key, value }) => `${key} ${value}`)
        if (texts.length > 0) this.wrote({ at: this.queue.now, by: process.name, texts })
        return outcomes
      },
      hold: (lease, listener) => engine.hold(lease, listener),
      status: () => engine.status(),
      close: () => engine.close(),
    }
  }

  private wrote(writing: EngineWriting): void {
    this.written.push(writing)
    if (this.written.length > 2 * WRITES_MAX) this.written = this.written.slice(-WRITES_MAX)
  }

  // ---- what happens to it ----------------------------------------------------------------------------------

  /** Nothing passes between a node and the engine. The returned function ends that. */
  cut({ process }: SimRegistry): () => void {
    const way = this.wayOf(process)
    way.cuts++
    way.lostAt ??= this.queue.now
    this.apply(way)
    return () => {
      way.cuts--
      if (way.cuts === 0) way.lostAt = undefined
      this.apply(way)
    }
  }

  /** Everything between a node and the engine takes so much longer, each way. */
  slow({ process }: SimRegistry, ms: number): () => void {
    const way = this.wayOf(process)
    way.delays.push(ms)
    this.apply(way)
    return () => {
      way.delays.splice(way.delays.indexOf(ms), 1)
      this.apply(way)
    }
  }

  /** What a node asks is done, and the answers are lost. */
  mute({ process }: SimRegistry): () => void {
    const way = this.wayOf(process)
    way.losing++
    this.apply(way)
    return () => {
      way.losing--
      this.apply(way)
    }
  }

  /** No member runs. */
  stop(): () => void {
    this.wholly ??= this.queue.now
    this.store.stop()
    return () => {
      this.wholly = undefined
      this.store.start()
    }
  }

  wipe(): void {
    this.troubledAt = this.queue.now
    this.store.wipe()
  }

  backup(): void {
    this.kept = this.store.backup()
  }

  /** Goes back to the last backup; without one nothing happens. */
  restore(): void {
    if (this.kept === undefined) return
    this.troubledAt = this.queue.now
    this.store.restore(this.kept)
  }

  /** The connection of a node breaks, and can be made again. */
  reset({ process }: SimRegistry): void {
    this.wayOf(process).line?.reset()
  }

  compact(): void {
    this.store.compact()
  }

  fill(): () => void {
    this.store.full = true
    return () => {
      this.store.full = false
    }
  }

  // ---- what invariants ask ---------------------------------------------------------------------------------

  /** What nodes wrote, the last of it. */
  get writes(): readonly EngineWriting[] {
    return this.written
  }

  /** Whether a node can reach it at present. */
  reaches({ process }: SimRegistry): boolean {
    return this.store.running && this.wayOf(process).cuts === 0
  }

  /** The history that it has; undefined while it has none. */
  get epoch(): string | undefined {
    return this.store.charter?.epoch
  }

  /** Whether it holds the key of a boot of a node. */
  hasNode(node: string): boolean {
    return this.store.get(nodeKey(node)) !== undefined
  }

  /** Since when a node cannot reach it, if it cannot. */
  lostAt({ process }: SimRegistry): number | undefined {
    const { lostAt } = this.wayOf(process)
    if (lostAt === undefined || this.wholly === undefined) return lostAt ?? this.wholly
    return Math.min(lostAt, this.wholly)
  }

  /** The record of an instance, by `keyText`. */
  record(key: string): StoredRecord | undefined {
    return recordIn(this.store.get(`records/${key}`))
  }

  /** All declarations that stand, as texts. */
  declarations(): string[] {
    return this.store
      .list()
      .filter(({ key }) => key.startsWith('declarations/'))
      .map(({ value }) => JSON.parse(value) as Declaration)
      .filter(({ register }) => register.value !== null)
      .map((each) => encode(each))
  }

  private wayOf(process: SimProcess): Way {
    let way = this.ways.get(process)
    if (way === undefined) {
      way = { cuts: 0, delays: [], losing: 0, lostAt: undefined, line: undefined }
      this.ways.set(process, way)
    }
    return way
  }

  private apply({ line, cuts, delays, losing }: Way): void {
    if (line === undefined) return
    if (cuts > 0) line.cut()
    else line.heal()
    line.delayMs = delays.reduce((sum, ms) => sum + ms, 0)
    line.losesAnswers = losing > 0
  }
}

function recordIn(entry: EngineEntry | undefined): StoredRecord | undefined {
  return entry && (JSON.parse(entry.value) as StoredRecord)
}

/** The clock of the members. */
function clockOf(queue: EventQueue): Clock {
  return {
    now: () => queue.now,
    wallNow: () => queue.now,
    setTimer(delayMs, callback) {
      let over = false
      queue.after(delayMs, () => {
        if (!over) callback()
      })
      return () => {
        over = true
      }
    },
  }
}

/** The clock of this life of a process: what is on its way to it when it ends, does not reach the next one. */
export function clockOfLife(process: SimProcess): Clock {
  const { clock, life } = process
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimer: (delayMs, callback) => (process.life === life ? clock.setTimer(delayMs, callback) : () => {}),
  }
}
