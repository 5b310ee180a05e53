/**
 * The chaos tests in their two forms. `npm test` runs the short one; `npm run proof chaos` (and `engine`, for those of the engine) sets CHAOS_FORM=long for
 * larger crowds and longer troubles, and CHAOS_RESULT to a file that takes what was measured, a line of JSON each.
 */
import { appendFileSync } from 'node:fs'

const isLong = process.env['CHAOS_FORM'] === 'long'

/** Whether a proof runs, in either form. What takes too long or too many rights for `npm test` is only for it, and says so. */
export function inProof(what: string): boolean {
  const runs = process.env['CHAOS_FORM'] !== undefined
  if (!runs) process.stderr.write(`not run: ${what}: a part of \`npm run proof cluster\` only\n`)
  return runs
}

/** What the short form needs, and the long one. */
export function form<T>(short: T, long: T): T {
  return isLong ? long : short
}

/** How samples are spread. */
export interface Spread {
  readonly count: number
  readonly median: number
  readonly p99: number
  readonly max: number
}

/** Sums samples up, prints them for the reader of the run, and keeps them for the result. Nearest rank, no guesses between. */
export function measured(what: string, samples: readonly number[]): Spread {
  // One that is not a number would hide the others: it sorts nowhere.
  if (!samples.every(Number.isFinite)) throw new Error(`${what}: not all were measured: ${samples.join(' ')}`)
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN)
  const spread = { count: sorted.length, median: at(0.5), p99: at(0.99), max: at(1) }
  const { count, median, p99, max } = spread
  process.stdout.write(`${what}: median ${median} ms, p99 ${p99} ms, max ${max} ms of ${count}\n`)
  keep({ what, unit: 'ms', ...spread })
  return spread
}

/** Keeps plain counts for the result. */
export function counted(what: string, counts: Readonly<Record<string, number>>): void {
  process.stdout.write(`${what}: ${JSON.stringify(counts)}\n`)
  keep({ what, ...counts })
}

function keep(line: object): void {
  const file = process.env['CHAOS_RESULT']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`)
}
