/**
 * The packages as they would be published, outside the checkout: what is in them, and that programs, compilers and
 * bundlers of every kind take them. `npm run proof packages` installs them with npm and tries more tools.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTarballs } from '../../tools/pack/npm-tarballs.mjs'
import { read, ROOT } from '../architecture/source-files.js'
import { examplesOf } from '../docs/examples.js'
import * as installed from './support/installed-packages.js'
import { type Child, endAll, freePort, run, start } from './support/processes.js'

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
const SUPPORT = join(ROOT, 'tests', 'integration', 'support')
/** What the packages depend on, and what their optional peers are: of the checkout. */
const OTHERS = [
  'ws',
  'sax',
  'commander',
  'string-width',
  'pino',
  'yaml',
  'zod',
  '@grpc/grpc-js',
  '@nestjs/common',
  '@nestjs/core',
]
const MORE_OTHERS = ['@opentelemetry/api', 'axios', 'fastify', 'undici', '@types/node', 'reflect-metadata']

let registry: Child
let folder = ''
let tarballs: readonly string[] = []

const dirOf = (name: string): string => join(folder, 'node_modules', ...name.split('/'))

beforeAll(async () => {
  folder = installed.newProject(mkdtempSync(join(tmpdir(), 'rollcall-packages-')), 'module')
  registry = await start('registry-child.mjs', '127.0.0.1:0')
  const packed = join(folder, 'tarballs')
  mkdirSync(packed)
  tarballs = await makeTarballs(packed)
  for (const tarball of tarballs) await installed.unpack(tarball, folder)
  installed.link(folder, [...OTHERS, ...MORE_OTHERS])
}, 120_000)

afterAll(async () => {
  await endAll()
  rmSync(folder, { recursive: true, force: true })
})

it('both builds of the SDK in one process share incarnations, resolvers and errors', async () => {
  expect(await run('two-builds.mjs', registry.ready)).toEqual({ code: 0, output: 'ok\n' })
})

describe('the tarballs', () => {
  const all = [
    'rollcall',
    ...['cli', 'client', 'core', 'integrations', 'protocols', 'server', 'storage', 'wire'],
  ]
  const names = all.map((name) => (name === 'rollcall' ? name : `@rollcall/${name}`))

  it('are those of all published packages', () => {
    const files = all.map((name) =>
      name === 'rollcall' ? 'rollcall-0.1.0.tgz' : `rollcall-${name}-0.1.0.tgz`,
    )
    expect(tarballs.map((path) => basename(path)).toSorted()).toEqual(files.toSorted())
  })

  it.each(names)('%s has its page and licence, and nothing of ours alone', (name) => {
    const files = readdirSync(dirOf(name), { recursive: true, encoding: 'utf8' })
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']))
    expect(files.filter((file) => /\.(test|fixture)\.|fixtures|tsbuildinfo|node_modules/.test(file))).toEqual(
      [],
    )
  })

  it.each(names)('%s is what its manifest says', async (name) => {
    const pkgDir = dirOf(name)
    const { messages } = await publint({ pkgDir, pack: false, strict: true })
    const manifest = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([])
  })
})

describe('a program of a user', () => {
  it.each(['module', 'commonjs'] as const)('runs as %s', async (type) => {
    const cwd = installed.newProject(join(folder, `run-${type}`), type)
    cpSync(join(SUPPORT, 'smoke'), cwd, { recursive: true })
    const script = type === 'module' ? 'import.mjs' : 'require.cjs'
    expect(await installed.node(cwd, [script, registry.ready])).toEqual({
      code: 0,
      output: `${process.version} ok\n`,
    })
  })

  it.each([
    ['module', 'node16', 'node16'],
    ['commonjs', 'node16', 'node16'],
    ['commonjs', 'nodenext', 'nodenext'],
    ['module', 'preserve', 'bundler'],
  ] as const)('compiles strictly, libraries included: %s, %s, %s', async (type, module, moduleResolution) => {
    const cwd = installed.newProject(join(folder, `tsc-${type}-${module}`), type)
    cpSync(join(SUPPORT, 'installed', 'program.ts'), join(cwd, 'program.ts'))
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', outDir: 'out', types: ['node'] },
      ...{
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        experimentalDecorators: true,
      },
    }
    writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const { output } = await installed.node(cwd, [TSC, '-p', '.'])
    // What libraries of others say against each other is theirs.
    expect(
      output.split('\n').filter((line) => line.includes('@rollcall') || line.startsWith('program')),
    ).toEqual([])
    if (module === 'preserve') return
    const call = `import('./out/program.js').then(({ main }) => main('${registry.ready}')).then(console.log)`
    const { output: printed } = await installed.node(cwd, ['-e', call])
    expect(['no_instances\n', 'unreachable\n']).toContain(printed)
  })
})

describe('the command', () => {
  it('is that of the package rollcall', async () => {
    const program = join(dirOf('rollcall'), 'bin', 'rollcall.js')
    expect(await installed.node(folder, [program, '--version'])).toEqual({ code: 0, output: '0.1.0\n' })
    expect((await installed.node(folder, [program, 'config', 'show', '--memory'])).code).toBe(0)
  })

  it('does without the node, and says so where it needs one', async () => {
    const alone = installed.newProject(join(folder, 'alone'), 'module')
    const wanted = ['cli', 'client', 'wire', 'storage', 'core'].map((name) => `rollcall-${name}-0.1.0.tgz`)
    for (const tarball of tarballs.filter((path) => wanted.includes(basename(path))))
      await installed.unpack(tarball, alone)
    installed.link(alone, ['ws', 'commander', 'string-width'])
    // Node would look further up, where the server is.
    const outside = mkdtempSync(join(tmpdir(), 'rollcall-alone-'))
    cpSync(alone, outside, { recursive: true })
    const program = join(outside, 'node_modules', '@rollcall', 'cli', 'bin', 'rollcall.js')
    const services = await installed.node(outside, [program, 'services', '--registry', registry.ready])
    const serve = await installed.node(outside, [program, 'serve', '--memory'])
    rmSync(outside, { recursive: true, force: true })
    expect(services.code).toBe(0)
    expect(serve).toEqual({ code: 1, output: expect.stringContaining('npm install --global rollcall') })
  })
})

it('the quick start does what it says in an empty folder, kill -9 included', async () => {
  const port = await freePort()
  const programs = examplesOf('docs/quick-start.md', read('docs/quick-start.md'))
    .filter(({ language }) => language === 'ts')
    .map(({ code }) =>
      code.replaceAll('http://127.0.0.1:7400', registry.ready).replaceAll('3000', String(port)),
    )
  const cwd = installed.newProject(join(folder, 'quick-start'), 'module')
  for (const [place, name] of ['orders.mjs', 'web.mjs'].entries())
    writeFileSync(join(cwd, name), programs[place] as string)
  const provider = spawn(process.execPath, ['orders.mjs'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(provider, 'exit')
  await once(provider.stdout, 'data')
  const line = `127.0.0.1:${port} order 42\n`
  expect(await installed.node(cwd, ['web.mjs'])).toEqual({ code: 0, output: line.repeat(3) })
  provider.kill('SIGKILL')
  await gone
  const command = join(dirOf('rollcall'), 'bin', 'rollcall.js')
  await expect
    .poll(() => installed.node(cwd, [command, 'instances', 'orders', '--registry', registry.ready]))
    .toEqual({ code: 0, output: expect.stringContaining('down') })
}, 60_000)
