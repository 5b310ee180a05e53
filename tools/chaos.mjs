/**
 * The long form of tests/integration/chaos-*.test.ts, with what it measured in docs/results/chaos.json; with --of engine
 * that of engine-*.test.ts, in engine.json. Some minutes; everything is tested only on Linux as root, what is not says so.
 *
 *     node tools/chaos.mjs [--short] [--of chaos|engine] [part of a file's name ...]
 */
import { runLongForm } from './long-form.mjs'
import { readOptions } from './usage.mjs'

const { values, positionals } = readOptions(import.meta.url, {
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, of: { type: 'string', default: 'chaos' } },
})
const { of } = values
const parts = positionals.length === 0 ? [''] : positionals
const { code } = await runLongForm({
  name: of,
  about: `tests/integration/${of}-*.test.ts: real processes on one machine, with its neighbours`,
  files: parts.map((part) => `tests/integration/${of}-${part}`),
  result: `docs/results/${of}.json`,
  form: values.short ? 'short' : 'long',
})
process.exitCode = code
