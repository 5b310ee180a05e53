/**
 * Measures Rollcall beside its floor: `npm run bench -- [--long] [--no-write] [--profile] [--compare FILE] [SCENARIO…]`.
 */
import { parseArgs } from 'node:util'
import { comparisonText } from './comparison.js'
import { updateDocument } from './documents.js'
import { cpuIsKnown } from './process-cpu.js'
import { profileText, terminalTable } from './report.js'
import { readResult, resultOf, resultPath, thisMachine, writeResult, type Result } from './result.js'
import { Stage, type Scenario } from './scenario.js'
import { SCENARIOS } from './scenarios.js'

const USAGE = `Usage: npm run bench -- [options] [scenario ...]

Measures each scenario beside its floor in the same run, writes docs/results/ and the tables of docs/benchmarks.md.

  --list          names the scenarios
  --long          more rounds, and 10,000 subscribers
  --compare FILE  compares with an earlier result; runs its scenario if none is named
  --profile       also says where the server's time went; the figures are worthless then, so nothing is written
  --no-write      writes nothing
`
const HOT_SPOTS = 25

interface Settings {
  readonly scenarios: readonly Scenario[]
  readonly long: boolean
  readonly write: boolean
  readonly profile: boolean
  readonly compare: Result | undefined
}

class UsageError extends Error {}

function readSettings(args: readonly string[]): Settings | 'help' | 'list' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  if (values.list) return 'list'
  const earlier = values.compare === undefined ? undefined : readResult(values.compare)
  if (values.compare !== undefined && earlier === undefined)
    throw new UsageError(`${values.compare} does not exist`)
  const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown.length > 0) throw new UsageError(`no scenario is called ${unknown.join(', ')}; see --list`)
  const names = positionals.length === 0 && earlier !== undefined ? [earlier.scenario] : positionals
  return {
    scenarios: SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name)),
    long: values.long || (positionals.length === 0 && earlier?.form === 'long'),
    write: !values['no-write'] && !values.profile,
    profile: values.profile,
    compare: earlier,
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: flag,
        list: flag,
        long: flag,
        profile: flag,
        'no-write': flag,
        compare: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function runScenario(scenario: Scenario, settings: Settings): Promise<void> {
  const { long, profile, write, compare } = settings
  console.log(`\n── ${scenario.name}: ${scenario.about}`)
  const machine = thisMachine()
  const stage = new Stage({ long, profile })
  try {
    const result = resultOf(scenario, await scenario.run(stage), machine, long)
    console.log(terminalTable(result))
    if (compare?.scenario === scenario.name) console.log(comparisonText(compare, result))
    if (!write) return
    writeResult(result)
    console.log(`→ ${resultPath(scenario.name, result.form)}`)
  } finally {
    await stage.close()
    for (const { what, hotSpots } of stage.profiles)
      console.log(`\n${what}, self time:\n${profileText(hotSpots, HOT_SPOTS)}`)
  }
}

/** Resolves to the exit code: 1 when a scenario could not be measured. */
async function run(settings: Settings): Promise<number> {
  let failed = 0
  for (const scenario of settings.scenarios) {
    try {
      await runScenario(scenario, settings)
    } catch (error) {
      failed++
      console.error(error)
    }
  }
  if (settings.write) updateDocument(SCENARIOS)
  return failed === 0 ? 0 : 1
}

async function main(args: readonly string[]): Promise<number> {
  const settings = readSettings(args)
  if (settings === 'help') {
    console.log(USAGE)
    return 0
  }
  if (settings === 'list') {
    for (const { name, about } of SCENARIOS) console.log(`${name.padEnd(12)} ${about}`)
    return 0
  }
  if (!cpuIsKnown()) {
    console.error('The benchmarks read the CPU time of processes from /proc: they need Linux.')
    return 1
  }
  return run(settings)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
