/**
 * The SDK and a node on every Node that is promised: imported, required and bundled, and how the node takes offers to
 * upgrade. Each Node comes from npm as the package of its platform (no install script) into .cache/; nothing of it
 * becomes a dependency.
 *
 *     node tools/node-matrix.mjs [version ...]
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare, ROOT, run, say } from './prepare.mjs'
import { startRegistry } from './registry.mjs'
import { readOptions } from './usage.mjs'

/** The oldest that is promised, and the newest of each line. */
const VERSIONS = ['20.19.0', '20', '22', '24', '26']
const SMOKE = join(ROOT, 'tests', 'integration', 'support', 'smoke')
const RESULT = join(ROOT, 'docs', 'results', 'node-matrix.json')
/** What each Node makes of offers to upgrade depends on how its HTTP server is built. */
const OFFERS = 'offers to upgrade'

/** The newest Node of a version such as 22 or 22.1, fetched if it is not there. */
async function fetched(wanted) {
  const folder = join(ROOT, '.cache', 'node', wanted)
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return binary
  say(`fetching Node ${wanted} …`)
  mkdirSync(folder, { recursive: true })
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder]
  const shell = process.platform === 'win32'
  if ((await run('npm', ['install', ...options, `${name}@${wanted}`], { shell })) !== 0)
    throw new Error(`Node ${wanted} cannot be fetched`)
  return binary
}

/** Runs a program of one Node to its end; resolves to its output, and rejects with it when it fails. */
function output(binary, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve(text.trim()) : reject(new Error(`exit code ${code}\n${text}`)),
    )
  })
}

/** What one Node does with each form; a form that fails is told with what it said. */
async function tried(wanted, forms) {
  const binary = await fetched(wanted)
  const version = await output(binary, '--version')
  const node = await startRegistry({ binary, program: join(ROOT, 'packages', 'cli', 'bin', 'rollcall.js') })
  const results = {}
  for (const [form, script] of Object.entries(forms)) {
    results[form] = await output(binary, script, node.url).then(
      (text) => (text === `${version} ok` ? 'ok' : `says more than it should: ${text}`),
      (error) => error.message,
    )
    say(`${version} ${form}: ${results[form]}`)
  }
  await node.stop()
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  results[OFFERS] = await output(binary, vitest, 'run', '--project=integration', 'upgrades.test.ts').then(
    () => 'ok',
    (error) => error.message,
  )
  say(`${version} ${OFFERS}: ${results[OFFERS]}`)
  return { version, ...results }
}

async function main() {
  const { positionals: asked } = readOptions(import.meta.url, { allowPositionals: true })
  if (!(await prepare())) return 1
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-bundle-'))
  try {
    await output(process.execPath, join(SMOKE, 'bundle.mjs'), directory)
    const forms = {
      imported: join(SMOKE, 'import.mjs'),
      required: join(SMOKE, 'require.cjs'),
      'bundled as a module': join(directory, 'bundle.mjs'),
      'bundled as CommonJS': join(directory, 'bundle.cjs'),
    }
    const nodes = []
    for (const wanted of asked.length > 0 ? asked : VERSIONS) nodes.push(await tried(wanted, forms))
    writeFileSync(
      RESULT,
      `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), nodes }, null, 2)}\n`,
    )
    const tests = [...Object.keys(forms), OFFERS]
    return nodes.every((node) => tests.every((test) => node[test] === 'ok')) ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main()
