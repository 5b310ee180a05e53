/** One measured quantity: Rollcall's, its floor's in the same run, their quotient, and the target. */
import { ratioOf, spreadOf, type Spread } from './statistics.js'

/** What has to be reached: a bound of the ratio or of Rollcall's own value. */
export interface Target {
  readonly of: 'ratio' | 'value'
  readonly atLeast?: number
  readonly atMost?: number
}

/** A quantity over all rounds. */
export interface Measure {
  readonly name: string
  readonly unit: string
  readonly rollcall: Spread
  readonly baseline?: Spread
  /** Rollcall's value divided by the baseline's, round by round. */
  readonly ratio?: Spread
  readonly target?: Target
  /** Whether the median reaches the target. */
  readonly met?: boolean
}

/** Samples by round, Rollcall's and, where there is one, the baseline's. */
export interface Samples {
  readonly name: string
  readonly unit: string
  readonly rollcall: readonly number[]
  readonly baseline?: readonly number[]
  readonly target?: Target
}

/** Sums up the rounds of one quantity. */
export function measureOf({ name, unit, rollcall, baseline, target }: Samples): Measure {
  const own = spreadOf(rollcall)
  const ratio = baseline === undefined ? undefined : ratioOf(rollcall, baseline)
  const judged = target?.of === 'ratio' ? ratio?.median : own.median
  return {
    name,
    unit,
    rollcall: own,
    ...(baseline === undefined ? {} : { baseline: spreadOf(baseline) }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(target === undefined ? {} : { target, met: judged !== undefined && reaches(judged, target) }),
  }
}

function reaches(value: number, { atLeast = -Infinity, atMost = Infinity }: Target): boolean {
  return value >= atLeast && value <= atMost
}

/** Collects samples of several quantities round by round, for one side. */
export class Series {
  private readonly values = new Map<string, number[]>()

  add(round: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(round)) {
      const all = this.values.get(name) ?? []
      all.push(value)
      this.values.set(name, all)
    }
  }

  /** Forgets the rounds so far: they were a warm-up. */
  clear(): void {
    this.values.clear()
  }

  /** All rounds of one quantity; throws for one that was never added. */
  of(name: string): readonly number[] {
    const all = this.values.get(name)
    if (all === undefined) throw new RangeError(`${name} was not measured`)
    return all
  }
}
