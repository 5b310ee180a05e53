/** Work on long lists in steps, between which the event loop has its turn, and many that wait for the same work. */
import type { Clock } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'

/** Work that stops after each step; short work does not. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Instances of one step: some microseconds each. */
export const STEP_ITEMS = 2_048

/** Asks for a turn after each step's worth of items. */
export function isStepOver(place: number): boolean {
  return place % STEP_ITEMS === STEP_ITEMS - 1
}

/** Work on a long list that many may wait for: each brings it on when it has its turn. */
export class Shared<T> {
  private readonly turns: WorkTurns
  private readonly steps: Steps<T>
  private outcome: { readonly value: T } | { readonly error: unknown } | undefined

  constructor(turns: WorkTurns, steps: Steps<T>) {
    this.turns = turns
    this.steps = steps
  }

  *result(): Steps<T> {
    for (;;) {
      const { outcome } = this
      if (outcome === undefined) {
        if (this.turns.take()) this.step()
        yield
      } else if ('error' in outcome) throw outcome.error
      else return outcome.value
    }
  }

  private step(): void {
    try {
      const step = this.steps.next()
      if (step.done === true) this.outcome = { value: step.value }
    } catch (error) {
      this.outcome = { error }
    }
  }
}

/** Tasks that end in one turn of the event loop because others have done their work. */
const ENDS_PER_TURN = 64

/** Shares the turns of the event loop out: one step of long work in each. */
export class WorkTurns {
  private readonly clock: Pick<Clock, 'setTimer'>
  private readonly max: number
  /** Each is true when it is over. */
  private readonly tasks: (() => boolean)[] = []
  private isTaken = false
  private isDue = false

  /** `max`: how many queries may wait. */
  constructor(clock: Pick<Clock, 'setTimer'>, max: number) {
    this.clock = clock
    this.max = max
  }

  /** Takes this turn for a step of long work; false where it is taken. */
  take(): boolean {
    if (this.isTaken) return false
    this.isTaken = true
    this.later()
    return true
  }

  /** What has no long work is done at once, and its value returned. Throws `not_ready` where too much waits. */
  run<T>(steps: Steps<T>): T | Promise<T> {
    const first = steps.next()
    if (first.done === true) return first.value
    if (this.tasks.length >= this.max)
      throw new RegistryError('not_ready', 'too many queries wait for long lists')
    return new Promise((resolve, reject) => {
      this.add(() => {
        try {
          const next = steps.next()
          if (next.done === true) resolve(next.value)
          return next.done === true
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
          return true
        }
      })
    })
  }

  /** Goes on with work that no query waits for yet; the next one that does is told if it fails. */
  begin(work: Shared<unknown>): void {
    const steps = work.result()
    this.add(() => {
      try {
        return steps.next().done === true
      } catch {
        return true
      }
    })
  }

  private add(task: () => boolean): void {
    this.tasks.push(task)
    this.later()
  }

  private later(): void {
    if (this.isDue) return
    this.isDue = true
    this.clock.setTimer(0, () => this.turn())
  }

  private turn(): void {
    this.isDue = false
    this.isTaken = false
    for (let ended = 0; ended < ENDS_PER_TURN; ended++) {
      const task = this.tasks.shift()
      if (task === undefined) return
      if (task()) continue
      this.tasks.push(task)
      break
    }
    if (this.tasks.length > 0) this.later()
  }
}
