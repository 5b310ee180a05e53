/**
 * The long forms: simulations with many seeds, crash tests with many rounds, full benchmarks. Each writes a
 * result file that documents quote; `npm run check` runs the short form of each as a test.
 *
 *     node tools/proof.mjs [--list] [name ...]
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare, ROOT, run, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

/**
 * Every proof: `name`, what it shows in one line (`about`), the `script` to run with Node after a build with
 * its `args`, and the `result` file it writes below docs/results/.
 */
const PROOFS = [
  benchmark('register', 'single registrations over HTTP beside a bare node:http server'),
  benchmark('heartbeat', 'single beats over HTTP beside a bare node:http server'),
  benchmark('lookup', 'lookups over HTTP beside a bare node:http server'),
  benchmark('batch', 'registrations over the stream, 1,000 per message, per second of CPU time'),
  benchmark('fan-out', 'changes to 1,000 and 10,000 subscribers beside raw socket writes'),
  benchmark('restart', '100,000 instances in the journal: start to ready, signs equal'),
  benchmark('idle', '100,000 instances in 1,000 sessions: CPU and heap'),
  benchmark('pick', 'pick() of the SDK in nanoseconds'),
  benchmark('watch-many', '50 services ready in the time of the slowest one'),
  benchmark('start-up', '50 services ready and warmed up while one in twenty instances hangs in connect'),
  benchmark('watched', '1,000 services of 100 instances under watch: heap per instance, CPU per change'),
  benchmark('clusters', 'calls to two clusters of which one is killed, beside one healthy cluster'),
  {
    name: 'nodes',
    about: 'the SDK and a node on every Node that is promised: imported, required, bundled',
    script: 'tools/node-matrix.mjs',
    result: 'docs/results/node-matrix.json',
  },
  {
    name: 'pack',
    about: 'all packages twice, the same bytes; deployment files and system calls by the tools of others',
    script: 'tools/pack-proof.mjs',
    result: 'docs/results/pack.json',
  },
  {
    name: 'packages',
    about:
      'the packed packages installed by npm: Jest, TypeScript, bundlers, npx, Deno, publint, arethetypeswrong',
    script: 'tools/install-matrix.mjs',
    result: 'docs/results/install-matrix.json',
  },
  {
    name: 'api',
    about: 'the OpenAPI document: what each operation allows and forbids, generators of clients, linters',
    script: 'tools/api-proof.mjs',
    result: 'docs/results/api.json',
  },
  {
    name: 'interop',
    about:
      'programs of others, unchanged, with a node: clients of Eureka and Consul, the Eureka server of Spring by a bridge, HAProxy, nginx and dnsmasq by DNS',
    script: 'tools/interop.mjs',
    result: 'docs/results/interop.json',
  },
  {
    name: 'floods',
    about: 'what one client can cost a node, with the default heap and with 256 MiB, and how others fare',
    script: 'bench/dist/floods.js',
    result: 'docs/results/floods.json',
  },
  {
    name: 'simulation',
    about: '10,000 seeds of the deterministic simulation, none of which any test runs',
    script: 'tools/sim.mjs',
    args: ['--from', '100000', '--seeds', '10000', '--result', 'docs/results/simulation.json'],
    result: 'docs/results/simulation.json',
  },
  {
    name: 'chaos',
    about: 'real processes killed, frozen, cut off and restarted, a full disk: what is noticed, and when',
    script: 'tools/chaos.mjs',
    result: 'docs/results/chaos.json',
  },
  {
    name: 'engine',
    about:
      'the engine on etcd 3.4 and 3.6: leaders killed under writes, all members, members that stand still',
    script: 'tools/chaos.mjs',
    args: ['--of', 'engine'],
    result: 'docs/results/engine.json',
  },
  {
    name: 'cluster',
    about:
      'three nodes on real etcd: everything killed, stopped and cut off; changes, idle instances, throughput',
    script: 'tools/cluster.mjs',
    result: 'docs/results/cluster.json',
  },
]

/** The long form of a scenario of bench/. It writes what it measured; whether a target is met stands there. */
function benchmark(scenario, about) {
  return {
    name: `bench-${scenario}`,
    about,
    script: 'bench/dist/main.js',
    args: ['--long', scenario],
    result: `docs/results/bench-${scenario}-long.json`,
  }
}

/** Runs one proof; resolves to whether it passed and wrote its result. */
async function prove({ name, about, script, args = [], result }) {
  say(`── ${name}: ${about}`)
  const before = writtenAt(result)
  const code = await run(process.execPath, [script, ...args])
  const written = writtenAt(result) > before
  if (!written) say(`${name} did not write ${result}`)
  return { name, good: code === 0 && written }
}

function writtenAt(path) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

async function main() {
  const { values, positionals: asked } = readOptions(import.meta.url, {
    allowPositionals: true,
    options: { list: { type: 'boolean' } },
  })
  if (values.list === true) {
    for (const { name, about, result } of PROOFS)
      process.stdout.write(`${name.padEnd(16)} ${about} → ${result}\n`)
    return 0
  }
  const unknown = asked.filter((name) => PROOFS.every((proof) => proof.name !== name))
  if (unknown.length > 0) {
    process.stderr.write(`No proof is called ${unknown.join(', ')}; see --list.\n`)
    return 2
  }
  if (!(await prepare())) return 1
  const results = []
  for (const proof of PROOFS)
    if (asked.length === 0 || asked.includes(proof.name)) results.push(await prove(proof))
  const failed = results.filter(({ good }) => !good)
  for (const { name } of failed) process.stdout.write(`FAILED ${name}\n`)
  process.stdout.write(`${results.length - failed.length} passed, ${failed.length} failed\n`)
  return failed.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main()
