/**
 * Makes the checkout ready, then becomes the program that was asked for: `npm start`, `npm run demo`, `npm run demo:cluster`,
 * `npm run demo:protocols`, `npm test` and `npm run bench` work on a fresh clone. The program runs in this very process, so that
 * signals, exit codes and the terminal are its own.
 *
 *     node tools/launch.mjs start|demo|demo:cluster|demo:protocols|test|bench [arguments of the program]
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, ROOT, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

/** The projects of `npm test`: not `docs`, which `npm run check` adds, and not `interop`, which is a proof. */
const TESTED = ['unit', 'architecture', 'simulation', 'integration', 'alone']

/** What each name starts, with the arguments that come before the user's own. */
const PROGRAMS = {
  start: { file: 'packages/cli/bin/rollcall.js', args: ['serve'] },
  demo: { file: 'examples/demo/dist/main.js', args: [] },
  'demo:cluster': { file: 'examples/demo/dist/cluster/main.js', args: [] },
  'demo:protocols': { file: 'examples/demo/dist/protocols/main.js', args: [] },
  test: {
    file: 'node_modules/vitest/vitest.mjs',
    args: ['run', ...TESTED.map((each) => `--project=${each}`)],
  },
  bench: { file: 'bench/dist/main.js', args: [] },
}

const [name, ...rest] = process.argv.slice(2)
if (name?.startsWith('-')) readOptions(import.meta.url)
const program = Object.hasOwn(PROGRAMS, name ?? '') ? PROGRAMS[name] : undefined
if (program === undefined) {
  process.stderr.write(`Usage: node tools/launch.mjs ${Object.keys(PROGRAMS).join('|')} [arguments]\n`)
  process.exit(2)
}
if (!(await prepare())) process.exit(1)

const file = join(ROOT, program.file)
if (!existsSync(file)) {
  say(`${program.file} does not exist, although everything is built.`)
  process.exit(1)
}
process.argv = [process.execPath, file, ...program.args, ...rest]
await import(pathToFileURL(file).href)
