/** Compares memory with the engine once in a while, and repairs what differs: watches lie sometimes. */
import {
  type Clock,
  compareWithEngine,
  type Difference,
  ENGINE_LIMITS,
  type EngineEntry,
  EngineError,
  type EnginePort,
  type Logger,
  nodeOfKey,
} from '@rollcall/core'
import type { NodeDriver } from '../driver/node-driver.js'
import type { SystemRandom } from '../random.js'

export interface EngineCheckDeps {
  readonly clock: Clock
  readonly random: Pick<SystemRandom, 'fraction'>
  readonly logger: Logger
  readonly engine: Pick<EnginePort, 'scan' | 'read'>
  readonly driver: NodeDriver
  /** Up to which revision everything was received. */
  readonly received: () => number
  readonly nodes: CheckedNodes
}

/** The nodes that are believed to be in the engine. */
export interface CheckedNodes {
  /** Their keys. */
  keys(): Iterable<string>
  /** Takes in what the engine holds under some keys, nothing where there is none. Returns whether any node is another one now. */
  reread(keys: readonly string[], entries: readonly EngineEntry[]): boolean
}

/** How often, and how many keys of the last time make it rarer: no more than some 2,000 of them a second. */
const CHECK_MS = 60_000
const KEYS_PER_SECOND = 2_000

/** How long the watch may take to arrive where the engine was when it was read. */
const ARRIVAL_MS_MAX = 15_000
const ARRIVAL_LOOK_MS = 250

export class EngineCheck {
  private readonly deps: EngineCheckDeps
  private cancel: (() => void) | undefined
  private keys = 0
  /** Counts openings: what an earlier one began is of no use. */
  private turn = 0
  /** What stands where records stand and is none, by key and revision. It is left alone: written by hand, or by a later release. */
  private unreadable = new Map<string, number>()
  /** Keys in which memory differed from the engine when they were compared last. */
  divergence = 0

  constructor(deps: EngineCheckDeps) {
    this.deps = deps
  }

  open(): void {
    this.close()
    this.later()
  }

  close(): void {
    this.turn++
    this.cancel?.()
    this.cancel = undefined
  }

  private later(): void {
    const { clock, random } = this.deps
    const everyMs = Math.max(CHECK_MS, (this.keys / KEYS_PER_SECOND) * 1_000)
    this.cancel = clock.setTimer(everyMs * (0.8 + 0.4 * random.fraction()), () => void this.check(this.turn))
  }

  private async check(turn: number): Promise<void> {
    try {
      await this.compare(turn)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      this.deps.logger.debug({ failure: error.failure, error: error.message }, 'not compared with the engine')
    }
    if (turn === this.turn) this.later()
  }

  private async compare(turn: number): Promise<void> {
    const { engine, logger } = this.deps
    const keys = new Map<string, number>()
    let newest = 0
    const revision = await engine.scan((page) => {
      for (const { key, revision: at } of page) {
        keys.set(key, at)
        newest = Math.max(newest, at)
      }
    })
    this.keys = keys.size
    this.leaveOut(keys)
    // What others write beside this cluster raises the revision of the engine too, and no watch of ours tells of that.
    if (!(await this.arrived(newest, turn))) return
    await this.compareNodes(keys, turn)
    if (turn !== this.turn) return
    const difference = await this.difference(keys, revision, turn)
    if (difference === undefined) return
    const { read, lost } = difference
    this.divergence = read.length + lost
    if (this.divergence === 0) return
    const unread = await this.takeAnew(read, turn)
    if (unread === undefined) return
    this.divergence -= unread.length
    if (unread.length > 0)
      logger.warn({ keys: unread.length, first: unread[0] }, 'the engine holds what is no record: left alone')
    if (this.divergence > 0) {
      const first = read.find((key) => !this.unreadable.has(key))
      logger.warn(
        { keys: read.length - unread.length, lost, first },
        'memory differed from the engine, and is repaired',
      )
    }
  }

  /** Nodes have no revision here: those that differ are read again. */
  private async compareNodes(keys: ReadonlyMap<string, number>, turn: number): Promise<void> {
    const { engine, logger, nodes } = this.deps
    const known = new Set(nodes.keys())
    const news = [...keys.keys()].filter((key) => nodeOfKey(key) !== undefined && !known.has(key))
    const differing = [...news, ...[...known].filter((key) => !keys.has(key))].slice(
      0,
      ENGINE_LIMITS.writesMax,
    )
    if (differing.length === 0) return
    const entries = await engine.read(differing)
    if (turn !== this.turn || !nodes.reread(differing, entries)) return
    logger.warn(
      { first: differing[0] },
      'the nodes of the cluster differed from the engine, and are repaired',
    )
  }

  /** Reads keys again; returns those that are no records, or nothing where it came to an end before. */
  private async takeAnew(read: readonly string[], turn: number): Promise<readonly string[] | undefined> {
    const { engine, driver } = this.deps
    const unread: string[] = []
    for (let at = 0; at < read.length; at += ENGINE_LIMITS.writesMax) {
      const entries = await engine.read(read.slice(at, at + ENGINE_LIMITS.writesMax))
      if (turn !== this.turn) return undefined
      driver.step((node, now) => {
        for (const entry of entries) {
          if (node.joined?.replica.take(entry, now) !== undefined) continue
          this.unreadable.set(entry.key, entry.revision)
          unread.push(entry.key)
        }
      })
    }
    return unread
  }

  /** Takes out of the keys of the engine what was found to be no record, and has not changed since. */
  private leaveOut(keys: Map<string, number>): void {
    this.unreadable = new Map([...this.unreadable].filter(([key, revision]) => keys.get(key) === revision))
    for (const key of this.unreadable.keys()) keys.delete(key)
  }

  /** Looks at all of it in as many turns of the event loop as it takes; undefined where that is of no use any more. */
  private async difference(
    keys: ReadonlyMap<string, number>,
    revision: number,
    turn: number,
  ): Promise<Difference | undefined> {
    const { clock, driver } = this.deps
    const { directory, replica } = driver.inspect((node) => ({
      directory: node.directory,
      replica: driver.joined.replica,
    }))
    const looks = compareWithEngine(keys, revision, { directory, replica }, clock.now())
    for (;;) {
      const { done, value } = driver.step((_, now) => looks.next(now))
      if (done === true) return value
      await new Promise<void>((resolve) => clock.setTimer(0, resolve))
      if (turn !== this.turn) return undefined
    }
  }

  /** Whether everything up to a revision is received in time. */
  private async arrived(revision: number, turn: number): Promise<boolean> {
    const { clock, received } = this.deps
    const until = clock.now() + ARRIVAL_MS_MAX
    while (received() < revision) {
      if (turn !== this.turn || clock.now() >= until) return false
      await new Promise<void>((resolve) => clock.setTimer(ARRIVAL_LOOK_MS, resolve))
    }
    return turn === this.turn
  }
}
