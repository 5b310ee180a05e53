/**
 * The deterministic simulation: many seeds on all cores, or one seed with its transcript. docs/simulation.md.
 *
 *     npm run sim -- [--seeds N] [--from SEED] [--jobs N]     runs N seeds (300) and lists those that fail;
 *                    [--clusters N] [--nodes N]               all of them with so many clusters (one in thirty has two), of so
 *                                                             many nodes each (one in three has three)
 *                    [--result FILE [--add]]                  writes down how many, how long and what went wrong in them, also
 *                                                             where Ctrl-C ends it early; added to what FILE has of the
 *                                                             seeds just before them, if the commit is the same
 *     npm run sim -- --seed SEED [--shrink] [--lines N]       replays one, with the last N (80) lines of its transcript
 *     npm run sim -- --mutation NAME …                        the same with a planted bug; --mutations lists them
 */
import { fork } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { prepare, ROOT } from './prepare.mjs'
import { readOptions } from './usage.mjs'

/** Seeds handed to a worker at a time. */
const CHUNK = 8

/** First argument of a worker. */
const WORKER = '--worker'

const OPTIONS = {
  seeds: { type: 'string', default: '300' },
  from: { type: 'string', default: '1' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  result: { type: 'string' },
  add: { type: 'boolean', default: false },
  clusters: { type: 'string' },
  nodes: { type: 'string' },
  seed: { type: 'string' },
  shrink: { type: 'boolean', default: false },
  lines: { type: 'string', default: '80' },
  mutation: { type: 'string' },
  mutations: { type: 'boolean', default: false },
}

const load = () => import(pathToFileURL(join(ROOT, 'tests', 'simulation', 'dist', 'index.js')).href)

const say = (text) => process.stdout.write(`${text}\n`)

/** How many clusters and nodes, where that is asked for. */
const shapeOf = ({ clusters, nodes }) => ({
  clusters: clusters === undefined ? undefined : Number(clusters),
  nodes: nodes === undefined ? undefined : Number(nodes),
})

/** Replays one seed. */
async function replay({ seed, lines, ...options }) {
  const { faultText, mutationNamed, scenarioOf, shrink, simulate } = await load()
  const sabotage =
    options.mutation === undefined ? {} : { sabotage: mutationNamed(options.mutation).sabotage }
  const whole = scenarioOf(seed, shapeOf(options))
  const scenario = options.shrink ? (await shrink(whole, sabotage)).scenario : whole
  const transcript = []
  const { failure } = await simulate(scenario, { ...sabotage, transcript: (line) => transcript.push(line) })
  for (const line of transcript.slice(-Number(lines))) say(line)
  say(`\n${scenario.faults.length} faults${options.shrink ? ' are enough' : ''}:`)
  for (const fault of scenario.faults) say(`  ${faultText(fault)}`)
  say(failure === undefined ? `\nseed ${seed} holds` : `\nseed ${seed} fails: ${failure.message}`)
  return failure === undefined ? 0 : 1
}

/** Runs many seeds, a process per core. */
async function runAll({ seeds, from, jobs, mutation, clusters, nodes, result, add }) {
  let end = Number(from) + Number(seeds)
  let next = Number(from)
  let done = 0
  const failures = []
  const total = { simulatedMs: 0, events: 0, faults: {} }
  const machine = result === undefined ? undefined : await thisMachine()
  const beganAt = performance.now()
  const take = ({ seed, failure, simulatedMs, events, faults }) => {
    done++
    total.simulatedMs += simulatedMs
    total.events += events
    for (const kind of faults) total.faults[kind] = (total.faults[kind] ?? 0) + 1
    if (failure === undefined) return
    failures.push(seed)
    const planted = mutation === undefined ? '' : ` --mutation ${mutation}`
    const several = [
      ...(clusters === undefined ? [] : [` --clusters ${clusters}`]),
      ...(nodes === undefined ? [] : [` --nodes ${nodes}`]),
    ].join('')
    say(`seed ${seed}: ${failure.message}\n  npm run sim -- --seed ${seed} --shrink${planted}${several}`)
  }
  const workers = Array.from({ length: Math.max(1, Number(jobs)) }, () => {
    const worker = fork(fileURLToPath(import.meta.url), [
      WORKER,
      JSON.stringify({ mutation, clusters, nodes }),
    ])
    const more = () => {
      if (next >= end) {
        worker.disconnect()
        return
      }
      worker.send({ from: next, to: Math.min(end, next + CHUNK) })
      next += CHUNK
    }
    worker.on('message', (results) => {
      for (const each of results) take(each)
      more()
    })
    more()
    return new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve))
  })
  // What was handed out is ended, so that the seeds that ran follow each other.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (end = next))
  await Promise.all(workers)
  const seconds = (performance.now() - beganAt) / 1000
  say(`${done} seeds, ${failures.length} failed, ${seconds.toFixed(1)} s`)
  if (result !== undefined) {
    const ran = { from: Number(from), seeds: done, failed: failures.toSorted((a, b) => a - b) }
    write(result, { ...machine, ...ran, seconds: Math.round(seconds), ...total }, add)
  }
  return failures.length === 0 && done === Number(seeds) ? 0 : 1
}

/** Where this runs, as the results of benchmarks have it. */
async function thisMachine() {
  const bench = await import(pathToFileURL(join(ROOT, 'bench', 'dist', 'result.js')).href)
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: bench.currentCommit(),
    machine: bench.thisMachine(),
  }
}

/** Writes a result down; counts in a fixed order. */
function write(file, { simulatedMs, faults, ...ran }, add) {
  const path = resolvePath(ROOT, file)
  const simulatedHours = Math.round(simulatedMs / 360_000) / 10
  const own = { ...ran, simulatedHours, faults }
  const before = add && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  const follows = before?.commit === ran.commit && before.from + before.seeds === ran.from
  const result = follows ? sumOf(before, own) : own
  const kinds = Object.entries(result.faults).toSorted(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(path, `${JSON.stringify({ ...result, faults: Object.fromEntries(kinds) }, null, 2)}\n`)
}

/** Two results of one commit, of seeds that follow each other. */
function sumOf(before, after) {
  const faults = { ...before.faults }
  for (const [kind, count] of Object.entries(after.faults)) faults[kind] = (faults[kind] ?? 0) + count
  return {
    ...after,
    from: before.from,
    seeds: before.seeds + after.seeds,
    failed: [...before.failed, ...after.failed],
    seconds: before.seconds + after.seconds,
    events: before.events + after.events,
    simulatedHours: Math.round((before.simulatedHours + after.simulatedHours) * 10) / 10,
    faults,
  }
}

/** A worker: runs what it is sent until it is cut off, and Ctrl-C is a matter of the process that sends. */
async function work({ mutation, clusters, nodes }) {
  process.on('SIGINT', () => {})
  const { mutationNamed, simulate } = await load()
  const options = {
    ...(mutation === undefined ? {} : { sabotage: mutationNamed(mutation).sabotage }),
    ...shapeOf({ clusters, nodes }),
  }
  process.on('message', ({ from, to }) => {
    runRange(simulate, options, from, to).then((results) => process.send(results), fail)
  })
}

async function runRange(simulate, options, from, to) {
  const results = []
  for (let seed = from; seed < to; seed++) {
    const { failure, scenario, events } = await simulate(seed, options)
    const faults = scenario.faults.map(({ kind }) => kind)
    results.push({ seed, failure, simulatedMs: scenario.endAt, events, faults })
  }
  return results
}

function fail(error) {
  process.stderr.write(`${error.stack}\n`)
  process.exit(1)
}

async function main() {
  const { values } = readOptions(import.meta.url, { options: OPTIONS })
  if (!(await prepare())) return 1
  if (values.mutations) {
    const { MUTATIONS } = await load()
    for (const { name, rule } of MUTATIONS) say(`${name.padEnd(28)} ${rule}`)
    return 0
  }
  return values.seed === undefined ? runAll(values) : replay(values)
}

if (process.argv[2] === WORKER) await work(JSON.parse(process.argv[3]))
else process.exitCode = await main()
