/**
 * The packages as npm would publish them, installed into empty projects outside the checkout and used by what users
 * have: Jest in a NestJS project, every module resolution of TypeScript, bundlers, npx, Deno, and the two checkers of
 * packages. Needs a registry of npm; what it fetches stays below .cache/.
 *
 *     node tools/install-matrix.mjs [form ...]
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NEST_FILES, NEST_PACKAGES } from './install-matrix/nest-project.mjs'
import { chosen, install, project, run, weigh } from './install-matrix/projects.mjs'
import { makeTarballs } from './pack/npm-tarballs.mjs'
import { prepare, ROOT, say } from './prepare.mjs'
import { startRegistry } from './registry.mjs'
import { readOptions } from './usage.mjs'

const RESULT = join(ROOT, 'docs', 'results', 'install-matrix.json')
const SUPPORT = join(ROOT, 'tests', 'integration', 'support')
const SDK = ['wire', 'client', 'integrations']
const NODE = ['core', 'storage', 'protocols', 'server']
const COMMAND = ['wire', 'client', 'core', 'storage', 'cli']
/** What the integrations are for, so that a compiler sees all of their types. */
const PEERS = [
  '@grpc/grpc-js@1',
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@opentelemetry/api@1.9',
  'axios@1',
  'fastify@5',
  'undici@7',
]
const NEST_PEERS = ['rxjs@7', 'reflect-metadata@0.2']

const manifest = (type) => JSON.stringify({ name: 'project', private: true, type })
const node = process.execPath

/** Every form: given a folder of its own, resolves to what is told about it, and rejects where it fails. */
const FORMS = {
  async jest({ folder, tarballs }) {
    project(folder, NEST_FILES)
    await install(folder, chosen(tarballs, [...SDK, ...NODE]), NEST_PACKAGES)
    await run(folder, 'npx', ['jest'])
    // All files of tests in one process.
    await run(folder, 'npx', ['jest', '--runInBand'])
    await run(folder, 'npx', ['tsc', '--noEmit', '-p', '.'])
    return 'NestJS 11, ts-jest, a node of its own by globalSetup; in workers and in one process'
  },

  async typescript({ folder, tarballs }) {
    project(folder, { 'package.json': manifest('commonjs'), 'esm/package.json': manifest('module') })
    await install(folder, chosen(tarballs, SDK), [
      ...PEERS,
      ...NEST_PEERS,
      'typescript@5.9',
      '@types/node@20',
    ])
    const modes = [
      ['.', 'commonjs', 'node10'],
      ['.', 'node16', 'node16'],
      ['esm', 'node16', 'node16'],
      ['.', 'nodenext', 'nodenext'],
      ['esm', 'nodenext', 'nodenext'],
      ['esm', 'esnext', 'bundler'],
      ['.', 'preserve', 'bundler'],
    ]
    for (const mode of modes) await compile(folder, ...mode)
    return modes
      .map(([at, module, resolution]) => `${module}+${resolution}${at === 'esm' ? ' (ESM)' : ''}`)
      .join(', ')
  },

  async esbuild(world) {
    const { folder } = await bundled(world, ['esbuild@0'])
    const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
    const options = ['esbuild', 'bundled.mjs', '--bundle', '--platform=node']
    await run(folder, 'npx', [...options, '--format=cjs', '--outfile=out.cjs'])
    await run(folder, 'npx', [...options, '--format=esm', '--outfile=out.mjs', `--banner:js=${banner}`])
    return runMoved(world, ['out.cjs', 'out.mjs'])
  },

  async webpack(world) {
    const { folder } = await bundled(world, ['webpack@5', 'webpack-cli@6'])
    const options = [
      '--mode',
      'production',
      '--target',
      'node20',
      '--entry',
      './bundled.mjs',
      '--output-path',
      '.',
    ]
    await run(folder, 'npx', [
      'webpack',
      ...options,
      '--output-filename',
      'out.cjs',
      '--output-library-type',
      'commonjs2',
    ])
    return runMoved(world, ['out.cjs'])
  },

  async npx({ folder, tarballs }) {
    project(folder, { 'package.json': manifest('module') })
    await install(folder, chosen(tarballs, [...COMMAND, ...NODE, 'rollcall']))
    const version = await run(folder, 'npx', ['--no-install', 'rollcall', '--version'])
    const served = await startRegistry({
      program: join(folder, 'node_modules', 'rollcall', 'bin', 'rollcall.js'),
      cwd: folder,
    })
    await run(folder, 'npx', ['--no-install', 'rollcall', 'services', '--registry', served.url])
    await served.stop()
    return { version, ...weigh(folder) }
  },

  async command({ folder, tarballs, registry }) {
    project(folder, { 'package.json': manifest('module') })
    await install(folder, chosen(tarballs, COMMAND))
    await run(folder, 'npx', ['--no-install', 'rollcall', 'services', '--registry', registry])
    const refused = await run(folder, 'npx', ['--no-install', 'rollcall', 'serve', '--memory']).catch(String)
    if (!refused.includes('npm install --global rollcall')) throw new Error(`serve says: ${refused}`)
    return weigh(folder)
  },

  async sdk({ folder, tarballs, registry }) {
    project(folder, { 'package.json': manifest('commonjs') })
    await install(folder, chosen(tarballs, ['wire', 'client']))
    cpSync(join(SUPPORT, 'smoke'), folder, { recursive: true })
    await run(folder, node, ['require.cjs', registry])
    await run(folder, node, ['import.mjs', registry])
    return weigh(folder)
  },

  async deno({ folder, tarballs, registry }) {
    if (process.platform !== 'linux')
      return notRun(`Deno is fetched for Linux only, this is ${process.platform}`)
    project(folder, { 'package.json': manifest('module') })
    const name = `@deno/linux-${process.arch}-glibc`
    await install(folder, chosen(tarballs, ['wire', 'client']), [name])
    cpSync(join(SUPPORT, 'smoke'), folder, { recursive: true })
    const deno = join(folder, 'node_modules', name, 'deno')
    await run(folder, deno, ['run', '--allow-all', '--node-modules-dir=manual', 'import.mjs', registry])
    return run(folder, deno, ['--version']).then((text) => text.split('\n')[0])
  },

  async checkers({ folder, tarballs }) {
    project(folder, { 'package.json': manifest('module') })
    await install(folder, [], ['publint@0.3', '@arethetypeswrong/cli@0.18'])
    const dual = new Set(chosen(tarballs, SDK))
    for (const tarball of tarballs) {
      await run(folder, 'npx', ['publint', 'run', tarball, '--strict'])
      // The command without scope has no types; a part of the node is ES modules alone.
      if (chosen([tarball], ['rollcall']).length > 0) continue
      const profile = dual.has(tarball) ? 'strict' : 'esm-only'
      const untyped = ['package.json', 'bin']
      await run(folder, 'npx', ['attw', tarball, '--profile', profile, '--exclude-entrypoints', ...untyped])
    }
    return 'publint --strict; arethetypeswrong: strict for wire, client and integrations, esm-only for the others'
  },
}

const notRun = (reason) => ({ notRun: reason })

/** One setting of the compiler, libraries checked too. */
async function compile(folder, at, module, moduleResolution) {
  const place = join(folder, at)
  cpSync(join(SUPPORT, 'installed', 'program.ts'), join(place, 'program.ts'))
  const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true }
  const compilerOptions = { module, moduleResolution, target: 'es2022', types: ['node'], ...strict }
  writeFileSync(
    join(place, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, experimentalDecorators: true },
      files: ['program.ts'],
    }),
  )
  const tsc = join(folder, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(place, node, [tsc, '-p', '.']).catch(({ message }) => {
    // What libraries of others say against each other is theirs.
    const own = /^(program|(\.\.\/)*node_modules\/@rollcall\/)/m
    if (own.test(message) || !/^(\.\.\/)*node_modules\//m.test(message))
      throw new Error(`${module}+${moduleResolution}: ${message}`)
  })
}

async function bundled({ folder, tarballs }, tools) {
  project(folder, { 'package.json': manifest('module') })
  await install(folder, chosen(tarballs, ['wire', 'client']), tools)
  cpSync(join(SUPPORT, 'smoke'), folder, { recursive: true })
  return { folder }
}

/** Runs bundles where there is no node_modules. */
async function runMoved({ folder, registry }, files) {
  const empty = mkdtempSync(join(tmpdir(), 'rollcall-bundle-'))
  try {
    for (const file of files) {
      cpSync(join(folder, file), join(empty, file))
      await run(empty, node, [file, registry])
    }
    return files.join(', ')
  } finally {
    rmSync(empty, { recursive: true, force: true })
  }
}

async function main() {
  const { positionals: asked } = readOptions(import.meta.url, { allowPositionals: true })
  if (!(await prepare())) return 1
  const root = mkdtempSync(join(tmpdir(), 'rollcall-install-'))
  const program = join(ROOT, 'packages', 'cli', 'bin', 'rollcall.js')
  const registry = await startRegistry({ program, cwd: ROOT })
  try {
    mkdirSync(join(root, 'tarballs'))
    const tarballs = await makeTarballs(join(root, 'tarballs'))
    const results = {}
    for (const [name, form] of Object.entries(FORMS)) {
      if (asked.length > 0 && !asked.includes(name)) continue
      const folder = join(root, name)
      mkdirSync(folder)
      const startedAt = performance.now()
      results[name] = await form({ folder, tarballs, registry: registry.url }).then(
        (told) => (told.notRun === undefined ? { ok: true, told } : { ok: false, ...told }),
        (error) => ({ ok: false, error: error.message.slice(0, 4_000) }),
      )
      say(
        `${name}: ${JSON.stringify(results[name])} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`,
      )
    }
    if (asked.length === 0) {
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
      const told = { date: new Date().toISOString().slice(0, 10), node: process.version, version, results }
      writeFileSync(RESULT, `${JSON.stringify(told, null, 2)}\n`)
    }
    return Object.values(results).every(({ ok, notRun: reason }) => ok || reason !== undefined) ? 0 : 1
  } finally {
    await registry.stop()
    rmSync(root, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main()
