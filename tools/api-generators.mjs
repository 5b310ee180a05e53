/**
 * What generators of clients and linters say of the OpenAPI document of a running node: openapi-typescript, whose types
 * compile the calls of the README, which are then made; openapi-python-client; redocly; spectral. They come from npm and
 * PyPI into .cache/ and become no dependency.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT, run, say } from './prepare.mjs'

const FOLDER = join(ROOT, '.cache', 'api-generators')
const VERSIONS = {
  'openapi-typescript': '7.13.0',
  'openapi-fetch': '0.17.0',
  typescript: '5.9.3',
  '@redocly/cli': '2.77.0',
  '@stoplight/spectral-cli': '6.16.3',
}
const PYTHON_CLIENT = '0.29.1'
const RUFF = '0.14.6'

/** Findings that are right as they are. */
const EXPLAINED = [
  {
    rule: /^operation-(?:2xx-response|success-response)$/,
    place: /api~1v1~1stream|api\/v1\/stream/,
    why: 'a WebSocket opens with 101',
  },
]

/** Calls as the README makes them: nothing is given that has a default, and a list is told from a change by its field. */
const CALLS = `import createClient from 'openapi-fetch'
import type { paths } from './schema.js'

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' })
const instance = { service: 'payments', host: '127.0.0.1', port: 3001, metadata: { version: '1.4.2' } }

const registered = await client.POST('/api/v1/register', { body: { instances: [instance] } })
const [result] = registered.data?.results ?? []
if (result?.ok !== true) throw new Error(result?.error.code ?? registered.error?.error.code)

const params = { path: { service: 'payments' } }
const { data: found } = await client.GET('/api/v1/services/{service}', { params })
if (found === undefined || !('instances' in found)) throw new Error('no list')
const ports: number[] = found.instances.map(({ port, weight }) => port + weight)

const { data: change } = await client.GET('/api/v1/services/{service}', {
  params: { path: { service: 'payments' }, query: { since: found.sign } },
})
if (change === undefined || !('upserts' in change)) throw new Error('no change')
const to: string = change.to

const named = { service: 'payments', id: result.id }
const { data: beat } = await client.POST('/api/v1/heartbeat', { body: { instances: [named] } })
const { data: left } = await client.POST('/api/v1/deregister', { body: { instances: [named] } })
const { error } = await client.GET('/api/v1/services/{service}', { params: { path: { service: 'nothing' } } })
console.log(JSON.stringify([ports, to === found.sign, beat?.unknown, left?.removed.length, error?.error.code]))
`
const PRINTED = '[[3101],true,[],1,"unknown_service"]'

/** Resolves to what each tool found, by its name; an empty list is what is wanted. */
export async function generatorFindings(url, program) {
  await install()
  const document = join(FOLDER, 'openapi.json')
  writeFileSync(document, await (await fetch(`${url}/api/v1/openapi.json`)).text())
  return {
    [`openapi-typescript ${VERSIONS['openapi-typescript']}`]: await typescript(document, url),
    [`openapi-python-client ${PYTHON_CLIENT}`]: await pythonClient(document, program),
    [`redocly ${VERSIONS['@redocly/cli']}`]: await redocly(document),
    [`spectral ${VERSIONS['@stoplight/spectral-cli']}`]: await spectral(document),
  }
}

async function install() {
  mkdirSync(FOLDER, { recursive: true })
  const manifest = { private: true, type: 'module', dependencies: VERSIONS }
  writeFileSync(join(FOLDER, 'package.json'), JSON.stringify(manifest))
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  const shell = process.platform === 'win32'
  if ((await run('npm', args, { cwd: FOLDER, shell })) !== 0)
    throw new Error('the generators cannot be fetched from npm')
}

/** Runs a program to its end, whatever its exit code. */
async function ran(command, args, options = {}) {
  const settings = { cwd: FOLDER, maxBuffer: 2 ** 26, ...options }
  return promisify(execFile)(command, args, settings).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout = '', stderr = '' }) => ({ code: code ?? 1, stdout, stderr }),
  )
}

const tool = (file, ...args) => ran(process.execPath, [join(FOLDER, 'node_modules', file), ...args])

async function typescript(document, url) {
  const generated = await tool('openapi-typescript/bin/cli.js', document, '-o', join(FOLDER, 'schema.d.ts'))
  if (generated.code !== 0) return [generated.stderr]
  writeFileSync(join(FOLDER, 'calls.ts'), CALLS)
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2022',
    types: [],
    lib: ['es2022', 'dom'],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  }
  const declared = 'declare const process: { argv: string[] }\n'
  writeFileSync(join(FOLDER, 'process.d.ts'), declared)
  const files = ['calls.ts', 'process.d.ts']
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const compiled = await tool('typescript/bin/tsc', '-p', FOLDER)
  if (compiled.code !== 0) return compiled.stdout.split('\n').filter(Boolean)
  const { stdout, stderr } = await ran(process.execPath, [join(FOLDER, 'calls.js'), url])
  return stdout.trim() === PRINTED ? [] : [`the calls printed ${stdout}${stderr}`]
}

/** Its warnings are findings; so is a client that Python cannot compile. */
async function pythonClient(document, program) {
  const bin = join(program, '..')
  if (!existsSync(join(bin, 'openapi-python-client'))) {
    say(`fetching openapi-python-client ${PYTHON_CLIENT} …`)
    const packages = [`openapi-python-client==${PYTHON_CLIENT}`, `ruff==${RUFF}`]
    if ((await run(join(bin, 'pip'), ['install', '-q', ...packages])) !== 0)
      throw new Error('openapi-python-client cannot be fetched from PyPI')
  }
  const folder = join(FOLDER, 'python')
  rmSync(folder, { recursive: true, force: true })
  const args = ['generate', '--path', document, '--output-path', folder, '--fail-on-warning']
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, NO_COLOR: '1' }
  const { code, stdout, stderr } = await ran(join(bin, 'openapi-python-client'), args, { env })
  const lines = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Generating'))
  if (code !== 0 || lines.length > 0) return lines.length > 0 ? lines : [`exit code ${code}`]
  const compiled = await ran(join(bin, 'python3'), ['-m', 'compileall', '-q', folder])
  return compiled.code === 0 ? [] : [compiled.stdout]
}

async function redocly(document) {
  const { stdout, stderr } = await tool('@redocly/cli/bin/cli.js', 'lint', document, '--format=json')
  const { problems } = parsed(stdout, stderr)
  return unexplained(
    problems.map(({ ruleId, message, location }) => ({
      rule: ruleId,
      message,
      place: location[0]?.pointer ?? '',
    })),
  )
}

async function spectral(document) {
  const rules = join(FOLDER, 'spectral.json')
  writeFileSync(rules, '{"extends":["spectral:oas"]}')
  const args = ['lint', document, '-r', rules, '-f', 'json', '--quiet']
  const { stdout, stderr } = await tool('@stoplight/spectral-cli/dist/index.js', ...args)
  const problems = stdout.trim() === '' ? [] : parsed(stdout, stderr)
  return unexplained(
    problems.map(({ code, message, path }) => ({ rule: code, message, place: path.join('/') })),
  )
}

function parsed(stdout, stderr) {
  try {
    return JSON.parse(stdout)
  } catch {
    throw new Error(`no JSON: ${stdout.slice(0, 500)}${stderr.slice(0, 500)}`)
  }
}

function unexplained(problems) {
  return problems
    .filter(({ rule, place }) => !EXPLAINED.some((each) => each.rule.test(rule) && each.place.test(place)))
    .map(({ rule, message, place }) => `${rule}: ${message} at ${place}`)
}
