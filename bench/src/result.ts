/** Results as files: docs/results/bench-<scenario>.json, and -long for the long form. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import type { Measure } from './measure.js'
import { SEED } from './random.js'
import { ROOT, type Findings, type Scenario } from './scenario.js'

/** Where it was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  /** Processes that wanted a core in the minute before the run: how noisy the neighbours were. */
  readonly loadBefore: number
}

/** One run of one scenario. */
export interface Result {
  readonly scenario: string
  readonly about: string
  readonly baseline?: string
  readonly form: 'short' | 'long'
  readonly date: string
  /** Of the checkout; `+` when the packages differ from it. */
  readonly commit: string
  readonly seed: number
  readonly rounds: number
  readonly machine: Machine
  readonly measures: readonly Measure[]
  readonly notes: readonly string[]
}

/** Describes this machine as it is before a run. */
export function thisMachine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-', 1)[0]}`,
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

/** The commit of the checkout, or `unknown` outside of one. */
export function currentCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'packages', 'bench') !== ''
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '')
  } catch {
    return 'unknown'
  }
}

/** What a run found, with everything a reader needs to judge it. */
export function resultOf(scenario: Scenario, findings: Findings, machine: Machine, long: boolean): Result {
  const { name, about, baseline } = scenario
  return {
    scenario: name,
    about,
    ...(baseline === undefined ? {} : { baseline }),
    form: long ? 'long' : 'short',
    date: new Date().toISOString().slice(0, 10),
    commit: currentCommit(),
    seed: SEED,
    machine,
    ...findings,
  }
}

const FOLDER = join('docs', 'results')

/** Path of a result below the root of the checkout. */
export function resultPath(scenario: string, form: Result['form']): string {
  return join(FOLDER, `bench-${scenario}${form === 'long' ? '-long' : ''}.json`)
}

/** Writes a result where documents quote it. */
export function writeResult(result: Result): void {
  mkdirSync(join(ROOT, FOLDER), { recursive: true })
  writeFileSync(
    join(ROOT, resultPath(result.scenario, result.form)),
    `${JSON.stringify(rounded(result), null, 2)}\n`,
  )
}

/** Reads a result; undefined when there is none. */
export function readResult(path: string): Result | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Five digits say all that such measurements know. */
export function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(5))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]))
}
