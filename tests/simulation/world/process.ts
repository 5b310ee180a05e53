/** A process: its clock and its timers. */
import type { Clock } from '@rollcall/core'
import type { EventQueue } from '@rollcall/testkit/time'
import type { Chance } from './random.js'

/** Date on which every world begins. */
const WALL_START_MS = 1_700_000_000_000

/** Crystals differ by this much at most. */
const DRIFT_MAX = 0.000_5

/** What a process is made of. */
export interface ProcessDeps {
  readonly queue: EventQueue
  readonly chance: Chance
  /** Something ran: promises it settled may have more to do. */
  readonly ran: () => void
  /** Something that ran soon after has thrown. */
  readonly failed: (error: unknown) => void
}

/**
 * An operating system process with one event loop: timers and input run one at a time, each as one turn. A paused
 * one (SIGSTOP, a long collection, a stall) runs nothing; when it goes on, overdue timers come first and then the
 * input that has arrived meanwhile, as in Node, or some of the input first, as when the pause hit the poll phase.
 */
export class SimProcess {
  readonly name: string
  readonly host: string
  readonly clock: Clock & { soon(callback: () => void): void }
  alive = false
  paused = false
  /** Counts starts, so that what belongs to an earlier life can be told apart. */
  life = 0
  startedAt = 0
  /** How far its wall clock is off. */
  wallSkewMs = 0
  /** Called after each turn. */
  onTurn: () => void = () => {}
  private readonly deps: ProcessDeps
  private readonly rate: number
  /** Pauses of this life that are over. */
  private pauses: { readonly from: number; readonly to: number }[] = []
  private pausedAt = 0
  private overdue: (() => void)[] = []
  private inbox: (() => void)[] = []

  constructor(name: string, host: string, deps: ProcessDeps) {
    this.name = name
    this.host = host
    this.deps = deps
    this.rate = 1 + deps.chance.between(-DRIFT_MAX, DRIFT_MAX)
    this.clock = {
      now: () => this.now(),
      wallNow: () => this.wallNow(),
      setTimer: (delayMs, callback) => this.setTimer(delayMs, callback),
      soon: (callback) => this.soon(callback),
    }
  }

  start(): void {
    if (this.alive) throw new Error(`${this.name} runs already`)
    this.life++
    this.alive = true
    this.paused = false
    this.startedAt = this.deps.queue.now
  }

  /** Ends it between two turns. Nothing of it runs any more. */
  kill(): void {
    this.alive = false
    this.paused = false
    this.life++
    this.pauses = []
    this.overdue = []
    this.inbox = []
  }

  pause(): void {
    if (!this.alive || this.paused) return
    this.paused = true
    this.pausedAt = this.deps.queue.now
  }

  /** Since when it stands still, if it does. */
  get standsSince(): number {
    return this.pausedAt
  }

  /** How long it has stood still since a moment, in this life and without the present pause. */
  pausedMs(since: number): number {
    return this.pauses.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, since)), 0)
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    const { queue, chance } = this.deps
    this.pauses.push({ from: this.pausedAt, to: queue.now })
    const early = chance.happens(0.7) ? 0 : chance.whole(0, this.inbox.length)
    const turns = [...this.inbox.slice(0, early), ...this.overdue, ...this.inbox.slice(early)]
    this.inbox = []
    this.overdue = []
    for (const turn of turns) queue.at(queue.now, turn)
  }

  /** Input arrives: `run` is a turn of its own, now or when the process goes on. */
  deliver(run: () => void): void {
    const { life } = this
    const handle = (): void => {
      if (!this.alive || life !== this.life) return
      if (this.paused) this.inbox.push(handle)
      else this.turn(run)
    }
    handle()
  }

  /** Runs something as a turn of the process unless it is paused or dead. */
  turn(run: () => void): void {
    run()
    this.deps.ran()
    this.onTurn()
  }

  private now(): number {
    return 1 + (this.deps.queue.now - this.startedAt) * this.rate
  }

  private wallNow(): number {
    return Math.round(WALL_START_MS + this.deps.queue.now + this.wallSkewMs)
  }

  /** Within the same moment: the world waits for it before it goes on. */
  private soon(callback: () => void): void {
    const { life } = this
    queueMicrotask(() => {
      if (life !== this.life) return
      try {
        callback()
      } catch (error) {
        this.deps.failed(error)
      }
    })
  }

  /** Timers of Node are never shorter than 1 ms, and off by a little. */
  private setTimer(delayMs: number, callback: () => void): () => void {
    const { life } = this
    const { queue, chance } = this.deps
    let over = false
    const fire = (): void => {
      if (over || life !== this.life) return
      if (this.paused) {
        this.overdue.push(fire)
        return
      }
      over = true
      this.turn(callback)
    }
    queue.after((Math.max(1, delayMs) + chance.between(-0.5, 1)) / this.rate, fire)
    return () => {
      over = true
    }
  }
}
