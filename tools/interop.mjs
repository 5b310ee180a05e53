/**
 * Nodes beside programs of others, which are fetched into .cache/ and become no dependency: the tests of tests/interop/, with
 * what ran in docs/results/interop.json. What cannot be fetched or built is told as not run, and is skipped in the result.
 *
 *     node tools/interop.mjs [part of a file's name ...]
 *
 * With parts, what other files have shown before stays in the result.
 */
import { runLongForm } from './long-form.mjs'
import { readOptions } from './usage.mjs'

const { positionals } = readOptions(import.meta.url, { allowPositionals: true, options: {} })
const parts = positionals.length === 0 ? [''] : positionals
const { code, result } = await runLongForm({
  name: 'interop',
  about: 'tests/interop/: programs of others, unchanged, with a node of Rollcall on one machine',
  files: parts.map((part) => `tests/interop/${part}`),
  result: 'docs/results/interop.json',
  project: 'interop',
  add: positionals.length > 0,
})
const skipped = result.tests.filter(({ status }) => status === 'skipped').length
if (skipped > 0)
  process.stdout.write(
    `interop: ${skipped} of ${result.tests.length} were not run, for the reasons above; docs/results/interop.json says so too\n`,
  )
process.exitCode = code
