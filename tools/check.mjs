/**
 * Everything CI runs, on a clean checkout or a used one. Goes on after a step that fails, and ends with one
 * line, `N passed, N failed`: tests are counted one by one, every other step as one.
 *
 *     node tools/check.mjs [step ...]
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from './generate.mjs'
import { prepare, ROOT, run, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

const REPORTS = join(ROOT, '.cache', 'check')

/** Lines kept of what a failed test said, in the summary at the end. */
const FAILURE_LINES = 12

/** A program of node_modules, run by this very Node. */
const tool = (file, ...args) => run(process.execPath, [join('node_modules', file), ...args])
/** Resolves to the counts of a step that is one thing: it holds, or it does not. */
const single = async (code) => ((await code) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })

/** The steps in order. Tests come first: what they say matters most when time runs out. */
const STEPS = {
  test: () =>
    counted('test', (report) =>
      run('npm', ['test', '--silent', '--', ...report], { shell: process.platform === 'win32' }),
    ),
  docs: () => counted('docs', (report) => tool('vitest/vitest.mjs', 'run', '--project=docs', ...report)),
  build: () => single(tool('typescript/bin/tsc', '-b')),
  types: () => single(tool('typescript/bin/tsc', '-p', 'tsconfig.tests.json')),
  lint: () => single(tool('oxlint/bin/oxlint', '--deny-warnings')),
  format: () => single(tool('oxfmt/bin/oxfmt', '--check')),
  unused: () => single(tool('knip/bin/knip.js')),
  generated: () => single(generate({ check: true }).then((good) => (good ? 0 : 1))),
}

/** Runs tests with a report to count by. A run that ends badly without a failed test is one failure. */
async function counted(name, command) {
  const file = join(REPORTS, `${name}.json`)
  rmSync(file, { force: true })
  mkdirSync(REPORTS, { recursive: true })
  const code = await command(['--reporter=default', '--reporter=json', `--outputFile.json=${file}`])
  try {
    const {
      numPassedTests: passed,
      numFailedTests: failed,
      testResults,
    } = JSON.parse(readFileSync(file, 'utf8'))
    const unexplained = failed === 0 && (code !== 0 || passed === 0)
    return { passed, failed: unexplained ? 1 : failed, failures: testResults.flatMap(failuresOf) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

/** What failed in one file of tests, told so that the end of a log is enough to begin with. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(ROOT, name)
  const failed = assertionResults.filter((result) => result.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [`${file}\n${shortened(message)}`] : []
  return failed.map(
    ({ fullName, failureMessages }) => `${file} > ${fullName}\n${shortened(failureMessages.join('\n'))}`,
  )
}

const shortened = (message) =>
  message
    .split('\n')
    .slice(0, FAILURE_LINES)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n')

async function check(names) {
  const results = []
  for (const name of names) {
    say(`── ${name}`)
    const startedAt = performance.now()
    const counts = await STEPS[name]().catch((error) => {
      say(error.stack)
      return { passed: 0, failed: 1 }
    })
    results.push({ name, ...counts, seconds: (performance.now() - startedAt) / 1000 })
  }
  return results
}

function print(results) {
  const total = { passed: 0, failed: 0 }
  process.stdout.write('\n')
  for (const failure of results.flatMap(({ failures = [] }) => failures)) {
    process.stdout.write(`FAILED ${failure}\n\n`)
  }
  for (const { name, passed, failed, seconds } of results) {
    total.passed += passed
    total.failed += failed
    const verdict = failed === 0 ? 'ok    ' : 'FAILED'
    process.stdout.write(
      `${verdict} ${name.padEnd(10)} ${`${passed} passed, ${failed} failed`.padEnd(26)} ${seconds.toFixed(1)} s\n`,
    )
  }
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals: asked } = readOptions(import.meta.url, { allowPositionals: true })
  const unknown = asked.filter((name) => !Object.hasOwn(STEPS, name))
  if (unknown.length > 0) {
    process.stderr.write(`Usage: node tools/check.mjs [${Object.keys(STEPS).join('|')} ...]\n`)
    process.exitCode = 2
  } else if (await prepare({ build: false })) {
    print(await check(asked.length > 0 ? asked : Object.keys(STEPS)))
  } else {
    print([{ name: 'install', passed: 0, failed: 1, seconds: 0 }])
  }
}
