/**
 * Writes everything in the repository that is derived from the code, or with --check compares it.
 *
 *     node tools/generate.mjs [--check]
 */
import { fileURLToPath } from 'node:url'
import { prepare, run, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

/** Scripts that write what they derive, and with --check exit 1 when the committed files differ. Run after a build. */
const GENERATORS = ['packages/wire/vectors/generate.js', 'tools/generators/reference.mjs']

/** Runs every generator; resolves to whether all agreed or wrote. */
export async function generate({ check = false } = {}) {
  let good = true
  for (const script of GENERATORS) {
    const code = await run(process.execPath, [script, ...(check ? ['--check'] : [])])
    if (code !== 0) say(`${script} failed with exit code ${code}`)
    good &&= code === 0
  }
  return good
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = readOptions(import.meta.url, { options: { check: { type: 'boolean' } } })
  const ready = await prepare()
  process.exitCode = ready && (await generate(values)) ? 0 : 1
}
