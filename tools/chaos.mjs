/**
 * The long form of tests/integration/chaos-*.test.ts, with what it measured in docs/results/chaos.json; with --of engine
 * that of engine-*.test.ts, in engine.json. Some minutes; everything is tested only on Linux as root, what is not says so.
 *
 *     node tools/chaos.mjs [--short] [--of chaos|engine] [part of a file's name ...]
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, run } from './prepare.mjs'
import { readOptions } from './usage.mjs'

const { values, positionals } = readOptions(import.meta.url, {
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, of: { type: 'string', default: 'chaos' } },
})
const { of } = values
const REPORTS = join(ROOT, '.cache', of)
const RESULT = join(ROOT, 'docs', 'results', `${of}.json`)
const form = values.short ? 'short' : 'long'
const parts = positionals.length === 0 ? [''] : positionals

rmSync(REPORTS, { recursive: true, force: true })
mkdirSync(REPORTS, { recursive: true })
const measures = join(REPORTS, 'measures.jsonl')
const tests = join(REPORTS, 'tests.json')
writeFileSync(measures, '')

const { currentCommit, thisMachine } = await import(
  pathToFileURL(join(ROOT, 'bench', 'dist', 'result.js')).href
)
const machine = thisMachine()
const commit = currentCommit()
const code = await run(
  process.execPath,
  [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project=integration',
    '--testTimeout=300000',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${tests}`,
    ...parts.map((part) => `tests/integration/${of}-${part}`),
  ],
  { env: { ...process.env, CHAOS_FORM: form, CHAOS_RESULT: measures } },
)

const files = JSON.parse(readFileSync(tests, 'utf8')).testResults
const result = {
  about: `tests/integration/${of}-*.test.ts: real processes on one machine, with its neighbours`,
  form,
  date: new Date().toISOString().slice(0, 10),
  commit,
  machine,
  tests: files.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, status, duration }) => ({
      file: relative(ROOT, name),
      name: fullName,
      status,
      seconds: Math.round((duration ?? 0) / 1_000),
    })),
  ),
  measures: readFileSync(measures, 'utf8').split('\n').filter(Boolean).map(JSON.parse), // prettier-ignore
}
mkdirSync(join(ROOT, 'docs', 'results'), { recursive: true })
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
process.exitCode = code
