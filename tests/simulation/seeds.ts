/** Scenarios of seeds as tests. */
import { type RunOptions, simulate } from './index.js'
import { expect, it } from 'vitest'

/** Seeds lived through in one test. */
const CHUNK = 10

/** A seed takes a tenth of a second on a quiet core; there are busy ones. */
export const TIMEOUT_MS: number = 120_000

/** Lines of the transcript that a failure shows. */
const LINES = 40

/** Tests that all seeds from `from` to `to` hold. */
export function testSeeds(from: number, to: number, options: RunOptions = {}): void {
  for (let first = from; first <= to; first += CHUNK) {
    const last = Math.min(to, first + CHUNK - 1)
    it(`seeds ${first} to ${last} hold`, { timeout: TIMEOUT_MS }, async () => {
      for (let seed = first; seed <= last; seed++) expect(await complaintOf(seed, options)).toBeUndefined()
    })
  }
}

/** What is wrong with a seed, how to replay it, and how it went; undefined when it holds. */
export async function complaintOf(seed: number, options: RunOptions = {}): Promise<string | undefined> {
  const { failure } = await simulate(seed, options)
  if (failure === undefined) return undefined
  const lines: string[] = []
  await simulate(seed, { ...options, transcript: (line) => lines.push(line) })
  const replay = `replay it with: npm run sim -- --seed ${seed} --shrink`
  return [`seed ${seed}: ${failure.message}`, replay, ...lines.slice(-LINES)].join('\n')
}
