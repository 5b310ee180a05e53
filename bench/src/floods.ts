/**
 * What one client can cost: `node bench/dist/floods.js [--short] [flood ...]`. Each flood with the default heap and with
 * 256 MiB, on a node of its own; all of them together write docs/results/floods.json and the table of docs/guarantees.md.
 * `--short` is a little less of each, with 256 MiB only. Exits with 1 where a promise was broken.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FLOODS, type FloodName, measureFlood, type Outcome, problemsOf } from './flood.js'
import { between, floodTable } from './report.js'
import { currentCommit, type Machine, rounded, thisMachine } from './result.js'
import { ROOT, Stage } from './scenario.js'

const SMALL_HEAP_MIB = 256
const RESULT = join(ROOT, 'docs', 'results', 'floods.json')
const DOCUMENT = join(ROOT, 'docs', 'guarantees.md')

async function run(flood: FloodName, heapMiB: number | undefined, long: boolean): Promise<Outcome> {
  const stage = new Stage({ long, profile: false })
  try {
    return await measureFlood(stage, flood, heapMiB)
  } finally {
    await stage.close()
  }
}

/** One flood after the other; those that could not be measured, or broke a promise, are told and counted. */
async function runAll(
  names: readonly FloodName[],
  long: boolean,
): Promise<{ outcomes: Outcome[]; failed: number }> {
  const outcomes: Outcome[] = []
  let failed = 0
  for (const heap of long ? [undefined, SMALL_HEAP_MIB] : [SMALL_HEAP_MIB]) {
    for (const flood of names) {
      if (heap === undefined && FLOODS[flood].fillsHeap === true) continue
      console.log(`── ${flood}, heap ${heap ?? 'default'}: ${FLOODS[flood].about}`)
      let problems: string[]
      try {
        const outcome = await run(flood, heap, long)
        outcomes.push(outcome)
        console.log(JSON.stringify(rounded(outcome)))
        problems = problemsOf(outcome)
      } catch (error) {
        problems = [String(error)]
      }
      if (problems.length > 0) failed++
      for (const problem of problems) console.error(`FAILED ${flood}: ${problem}`)
    }
  }
  return { outcomes, failed }
}

function write(outcomes: readonly Outcome[], machine: Machine): void {
  const result = rounded({
    about: 'what one client at one address can cost a node, and how others fare meanwhile',
    date: new Date().toISOString().slice(0, 10),
    commit: currentCommit(),
    machine,
    outcomes,
  })
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(DOCUMENT, between(readFileSync(DOCUMENT, 'utf8'), 'floods', floodTable(outcomes)))
}

const isFlood = (name: string): name is FloodName => Object.hasOwn(FLOODS, name)

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { short: { type: 'boolean', default: false } },
  })
  const unknown = positionals.filter((name) => !isFlood(name))
  if (unknown.length > 0) {
    console.error(`no flood is called ${unknown.join(', ')}: ${Object.keys(FLOODS).join(', ')}`)
    return 2
  }
  const machine = thisMachine()
  const names = positionals.length === 0 ? Object.keys(FLOODS).filter(isFlood) : positionals.filter(isFlood)
  const { outcomes, failed } = await runAll(names, !values.short)
  if (!values.short && positionals.length === 0) write(outcomes, machine)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
