/** Runs tests in their long form, and keeps what they measured as a result file. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, run } from './prepare.mjs'

/**
 * `name` names the folder of the reports, `files` are parts of paths of tests of a `project`, `result` is the path of the result. Resolves to
 * the exit code of the tests and to the result as it was written. With `add` it keeps what other tests left there before.
 */
export async function runLongForm(plan) {
  const { name, about, files, result: path, form = 'long', add = false, project = 'integration' } = plan
  const reports = join(ROOT, '.cache', name)
  rmSync(reports, { recursive: true, force: true })
  mkdirSync(reports, { recursive: true })
  const measures = join(reports, 'measures.jsonl')
  const tests = join(reports, 'tests.json')
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
      ...(project === 'integration' ? ['integration', 'alone'] : [project]).map(
        (each) => `--project=${each}`,
      ),
      '--no-file-parallelism',
      '--testTimeout=300000',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${tests}`,
      ...files,
    ],
    { env: { ...process.env, CHAOS_FORM: form, CHAOS_RESULT: measures } },
  )

  const result = {
    about,
    form,
    date: new Date().toISOString().slice(0, 10),
    commit,
    machine,
    tests: JSON.parse(readFileSync(tests, 'utf8')).testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults.map(({ fullName, status, duration }) => ({
        file: relative(ROOT, file),
        name: fullName,
        status,
        seconds: Math.round((duration ?? 0) / 1_000),
      })),
    ),
    measures: readFileSync(measures, 'utf8').split('\n').filter(Boolean).map(JSON.parse), // prettier-ignore
  }
  if (add) keepOthers(result, JSON.parse(readFileSync(join(ROOT, path), 'utf8')))
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), `${JSON.stringify(result, null, 2)}\n`)
  return { code, result }
}

/** Adds the tests and measures of an earlier run that this one did not make anew. */
function keepOthers(result, { tests, measures }) {
  const files = new Set(result.tests.map(({ file }) => file))
  const names = new Set(result.measures.map(({ what }) => what))
  result.tests.unshift(...tests.filter(({ file }) => !files.has(file)))
  result.measures.unshift(...measures.filter(({ what }) => !names.has(what)))
}
