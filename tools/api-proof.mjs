/**
 * The HTTP API held against its own OpenAPI document by schemathesis, which makes requests that the document allows and
 * requests that it forbids, and judges the answers. Schemathesis comes from PyPI into .cache/ and becomes no dependency;
 * without Python the proof fails and says so. A finding that is no fault is named below, with its reason. Then generators of
 * clients and linters take the document (`api-generators.mjs`).
 *
 *     node tools/api-proof.mjs [--seed N] [--examples N]
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { generatorFindings } from './api-generators.mjs'
import { ROOT, run, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

const VERSION = '4.32.5'
const FOLDER = join(ROOT, '.cache', 'schemathesis')
const REPORT = join(FOLDER, 'report.ndjson')
const RESULT = join(ROOT, 'docs', 'results', 'api.json')

/** Streams never end, which no check of single answers can judge. */
const STREAMS = '/(watch|stream)$'

/** Findings that are right as they are: what is found, in which answers, and why it is so. */
const EXPLAINED = [
  {
    check: 'not_a_server_error',
    codes: ['not_durable'],
    why: 'a durability was asked for that a node with `--memory` does not have; 503 is documented',
  },
  {
    check: 'negative_data_rejection',
    codes: ['batch_too_large', 'body_too_large'],
    why: 'too many items are refused with 413, which the check does not take for a refusal',
  },
  {
    check: 'positive_data_acceptance',
    codes: ['invalid_argument'],
    message:
      /another one in the body|cannot be combined|wait needs|give either|must be given|must be `next` of the page before|^instances (?:is missing|must be an array)|needs type/,
    why: 'rules between two fields or parameters, which a schema does not say',
  },
  {
    check: 'positive_data_acceptance',
    codes: ['invalid_argument'],
    message: /is where you listen, not where|is a (?:broadcast|multicast) address|an address, a CIDR block/,
    why: 'addresses of no single instance, and the bits of an IPv4-mapped block; the document says it in words',
  },
  {
    check: 'positive_data_acceptance',
    codes: ['invalid_argument'],
    message: /^incarnation \d+ is more than a year ahead/,
    why: 'the bound moves with the clock',
  },
]

/** A batch that is refused in part is answered with 200, and its answer says of each item how it was taken. */
const PARTLY = {
  check: 'negative_data_rejection',
  why: 'a batch of which other items were taken; the answer has the error of each that was not',
}

const { values } = readOptions(import.meta.url, {
  options: { seed: { type: 'string', default: '1' }, examples: { type: 'string', default: '50' } },
})

const { startServerProcess, killServerProcesses } = await load('packages/testkit/dist/index.js')
const { currentCommit, thisMachine } = await load('bench/dist/result.js')
const program = await schemathesis()
rmSync(REPORT, { force: true })
let generators
try {
  // Long polls are tried as they are, and end soon.
  const { url } = await startServerProcess({ args: ['--memory', '--limits-wait-ms-max', '1000'] })
  generators = await generatorFindings(url, program)
  await run(program, argumentsFor(url), { cwd: FOLDER })
} finally {
  await killServerProcesses()
}
const good = [judge(readReport()), judgeGenerators()].every(Boolean)
process.exitCode = good ? 0 : 1

function load(path) {
  return import(pathToFileURL(join(ROOT, path)).href)
}

/** The program, fetched if it is not there. */
async function schemathesis() {
  const environment = join(FOLDER, VERSION)
  const path = join(environment, 'bin', 'schemathesis')
  if (existsSync(path)) return path
  say(`fetching schemathesis ${VERSION} …`)
  mkdirSync(FOLDER, { recursive: true })
  const made = await run('python3', ['-m', 'venv', environment]).catch(() => 1)
  if (made !== 0) throw new Error('schemathesis needs python3 with venv: install Python 3.10 or newer')
  const fetched = await run(join(environment, 'bin', 'pip'), ['install', '-q', `schemathesis==${VERSION}`])
  if (fetched !== 0) throw new Error('schemathesis cannot be fetched from PyPI')
  return path
}

function argumentsFor(url) {
  const config = join(FOLDER, 'schemathesis.toml')
  writeFileSync(config, '[parameters]\nwait = "5ms"\nevery = "5s"\n')
  return [
    `--config-file=${config}`,
    'run',
    `${url}/api/v1/openapi.json`,
    `--exclude-path-regex=${STREAMS}`,
    '--phases=coverage,fuzzing',
    '--checks=all',
    '--continue-on-failure',
    '--request-timeout=10',
    `--max-examples=${values.examples}`,
    `--seed=${values.seed}`,
    '--report=ndjson',
    `--report-ndjson-path=${REPORT}`,
  ]
}

/** The cases of a run, and the checks that each failed. */
function readReport() {
  const events = readFileSync(REPORT, 'utf8').split('\n').filter(Boolean)
  const recorders = events.map((line) => JSON.parse(line).ScenarioFinished?.recorder).filter(Boolean)
  const cases = recorders.reduce((sum, recorder) => sum + Object.keys(recorder.cases).length, 0)
  const failures = recorders.flatMap(({ label, checks, interactions }) =>
    Object.entries(checks).flatMap(([id, all]) =>
      all
        .filter(({ status }) => status === 'failure')
        .map(({ name, failure_info: { failure } }) => ({
          operation: label,
          check: name,
          message: failure.message,
          ...answerOf(interactions[id]),
        })),
    ),
  )
  return { operations: new Set(recorders.map(({ label }) => label)).size, cases, failures }
}

function answerOf({ request, response }) {
  const body = textOf(response?.content)
  const { error: { code, message } = {}, errors = [], results = [] } = jsonOf(body)
  return {
    request: `${request.method} ${request.uri} ${textOf(request.body).slice(0, 500)}`,
    status: response?.status_code,
    code,
    answer: message ?? body.slice(0, 500),
    partly: errors.length > 0 || results.some(({ ok }) => ok === false),
  }
}

function textOf(content) {
  const encoded = content?.$base64
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString() : ''
}

function jsonOf(body) {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}

/** Whether no generator and no linter found anything. */
function judgeGenerators() {
  for (const [name, findings] of Object.entries(generators))
    say(
      findings.length === 0
        ? `${name}: nothing found`
        : `FAILED ${name}:\n  ${findings.slice(0, 20).join('\n  ')}`,
    )
  return Object.values(generators).every((findings) => findings.length === 0)
}

/** Writes what was found; whether none of it is a fault. */
function judge({ operations, cases, failures }) {
  const counts = new Map([...EXPLAINED, PARTLY].map((each) => [each, 0]))
  const faults = failures.filter((failure) => {
    const explanation = explanationOf(failure)
    if (explanation !== undefined) counts.set(explanation, counts.get(explanation) + 1)
    return explanation === undefined
  })
  for (const { operation, check, message, request, status, answer } of faults)
    say(`FAILED ${operation}: ${check}\n  ${message}\n  ${request}\n  ${status} ${answer}`)
  const explained = [...counts].map(([{ check, why }, count]) => ({ check, why, count }))
  const result = {
    about: `schemathesis ${VERSION} against the OpenAPI document of a node with --memory, streams left out`,
    date: new Date().toISOString().slice(0, 10),
    commit: currentCommit(),
    machine: thisMachine(),
    seed: Number(values.seed),
    operations,
    cases,
    explained,
    faults: faults.length,
    generators: Object.fromEntries(Object.entries(generators).map(([name, found]) => [name, found.length])),
  }
  mkdirSync(join(ROOT, 'docs', 'results'), { recursive: true })
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
  say(
    `${operations} operations, ${cases} cases: ${faults.length} faults, ${failures.length - faults.length} explained`,
  )
  return faults.length === 0 && cases > 0
}

function explanationOf({ check, code, answer, partly }) {
  if (check === PARTLY.check && partly) return PARTLY
  return EXPLAINED.find(
    (each) => each.check === check && each.codes.includes(code) && (each.message?.test(answer) ?? true),
  )
}
