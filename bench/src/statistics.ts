/** Numbers from repeated rounds. Medians, because a busy neighbour spoils single rounds and not the middle one. */

/** What several rounds gave. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  /** In the order of the rounds. */
  readonly samples: readonly number[]
}

/** Sums up rounds; throws without any. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const first = sorted[0]
  if (first === undefined) throw new RangeError('no rounds were measured')
  return { median: percentile(sorted, 0.5), min: first, max: sorted.at(-1) ?? first, samples }
}

/** The value below which this fraction of the sorted values lies, between two of them where it falls between. */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  if (sorted.length === 0) return Number.NaN
  const place = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** The spread of the quotients round by round: what was slow in both rounds of a pair cancels out. */
export function ratioOf(numerators: readonly number[], denominators: readonly number[]): Spread {
  if (numerators.length !== denominators.length) throw new RangeError('rounds come in pairs')
  return spreadOf(numerators.map((value, round) => value / (denominators[round] ?? Number.NaN)))
}
