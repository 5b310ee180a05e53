/** The examples of all documents do what they say. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listFiles, read, ROOT } from '../architecture/source-files.js'
import { agrees, examplesOf, type Example } from './examples.js'

const documents = listFiles().filter((path) => path.endsWith('.md'))
const examples = documents.flatMap((path) => examplesOf(path, read(path)))
const scripts = examples.filter(({ language }) => language === 'ts')
const FOLDER = join(ROOT, '.cache', 'docs')
const READY_WITHIN_MS = 15_000

/** Ports that documents name, each replaced by a free one so that a running registry is left alone. */
const PORTS = ['7400', '7401', '3000']
/** Those where a registry listens, each of a cluster of its own; the second only for a document that names it. */
const REGISTRY_PORTS = ['7400', '7401']
/** A free port may be another process's a moment later: then others are tried. */
const PORT_TRIES = 3
const replaced = new Map<string, string>()
const registries: ChildProcess[] = []

function withFreePorts(code: string): string {
  return PORTS.reduce(
    (text, port) => text.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), replaced.get(port) ?? port),
    code,
  )
}

/** What an example printed, as if the ports had been those that the document names. */
function withNamedPorts(printed: string): string {
  return [...replaced].reduce(
    (text, [port, free]) => text.replaceAll(new RegExp(`\\b${free}\\b`, 'g'), port),
    printed,
  )
}

/** So many different ports that no process listens on. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Program {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
}

function launch(command: string, args: readonly string[]): Program {
  const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`
  const env = {
    ...process.env,
    PATH: path,
    ROLLCALL_REGISTRY: withFreePorts('http://127.0.0.1:7400'),
    NO_COLOR: '1',
  }
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<Outcome>((resolve, reject) => {
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { child, ended }
}

/** Registries of its own for each document, on the ports that those of the document became. */
async function startRegistries(document: string): Promise<void> {
  const text = read(document)
  const wanted = REGISTRY_PORTS.filter((port) => port === '7400' || text.includes(port))
  for (let triesLeft = PORT_TRIES - 1; ; triesLeft--) {
    const free = await freePorts(PORTS.length)
    PORTS.forEach((port, place) => replaced.set(port, String(free[place])))
    const started = wanted.map((port) => startRegistry(withFreePorts(`127.0.0.1:${port}`)))
    const failed = (await Promise.allSettled(started)).find(({ status }) => status === 'rejected')
    if (failed === undefined) return
    if (triesLeft === 0) throw (failed as PromiseRejectedResult).reason
  }
}

async function startRegistry(address: string): Promise<void> {
  const child = spawn(
    process.execPath,
    ['packages/cli/bin/rollcall.js', 'serve', '--memory', '--listen', address],
    { cwd: ROOT, stdio: 'ignore' },
  )
  registries.push(child)
  for (const end = performance.now() + READY_WITHIN_MS; performance.now() < end; await sleep(50)) {
    const ready = await fetch(`http://${address}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    if (child.exitCode !== null) throw new Error(`rollcall serve ended with exit code ${child.exitCode}`)
  }
  throw new Error(`rollcall serve was not ready within ${READY_WITHIN_MS} ms`)
}

function nameOf({ document, line, language }: Example): string {
  return `${document.replaceAll('/', '-')}-${line}.${language}`
}

/** Checks the TypeScript examples of all documents at once and leaves what is to be run as JavaScript beside them. */
async function compile(): Promise<Outcome> {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  for (const example of scripts) writeFileSync(join(FOLDER, nameOf(example)), `${example.code}\nexport {}\n`)
  const options = {
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
  }
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { ...options, types: ['node'] },
    include: ['*.ts'],
  }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  return launch(process.execPath, ['node_modules/typescript/bin/tsc', '-p', join(FOLDER, 'tsconfig.json')])
    .ended
}

function start(example: Example): Program {
  if (example.language === 'sh')
    return launch('bash', ['-euo', 'pipefail', '-c', withFreePorts(example.code)])
  const compiled = join(FOLDER, nameOf(example).replace(/ts$/, 'js'))
  writeFileSync(compiled, withFreePorts(readFileSync(compiled, 'utf8')))
  return launch(process.execPath, [compiled])
}

/** An outcome as it is held against SUCCESS. */
function judged({ code, stderr }: Outcome): { readonly code: number | null; readonly stderr: string } {
  return { code, stderr: code === 0 ? '' : stderr }
}

const SUCCESS = { code: 0, stderr: '' }

let compiled: Outcome
beforeAll(async () => {
  compiled = await compile()
})

afterAll(async () => {
  for (const child of registries) {
    if (child.exitCode !== null) continue
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
})

it('the README has examples that are run, in both languages', () => {
  const languages = examples
    .filter((example) => example.run && example.document === 'README.md')
    .map(({ language }) => language)
  expect(new Set(languages)).toEqual(new Set(['sh', 'ts']))
})

describe.each([...new Set(examples.filter((example) => example.run).map(({ document }) => document))])(
  '%s',
  (document) => {
    beforeAll(() => startRegistries(document))

    it('has TypeScript that type-checks', () => expect(compiled.stdout).toBe(''))

    const own = examples.filter((example) => example.document === document && example.run)
    const beside: Program[] = []
    it.each(own.map((example) => [example.line, example] as const))(
      'line %d does what it says',
      async (_line, example) => {
        const program = start(example)
        if (example.beside) {
          beside.push(program)
          return
        }
        const outcome = await program.ended
        expect(judged(outcome)).toEqual(SUCCESS)
        const printed = withNamedPorts(outcome.stdout)
        if (example.output !== undefined && !agrees(example.output, printed))
          expect(printed).toBe(example.output)
      },
    )

    it.runIf(own.some((example) => example.beside))(
      'has programs that stop when they are told to',
      async () => {
        for (const { child } of beside) child.kill('SIGTERM')
        for (const { ended } of beside) expect(judged(await ended)).toEqual(SUCCESS)
      },
    )
  },
)

describe('the reader of examples', () => {
  const fence = '```'

  it('finds what is marked', () => {
    const text = `# T\n${fence}sh\nnpm test\n${fence}\n${fence}sh test\ncurl\n${fence}\n${fence}text output\nok\n${fence}\n${fence}ts\nx\n${fence}\n${fence}ts fragment\ny\n${fence}\n`
    expect(examplesOf('a.md', text)).toEqual([
      { document: 'a.md', line: 5, language: 'sh', run: true, beside: false, code: 'curl\n', output: 'ok\n' },
      {
        document: 'a.md',
        line: 11,
        language: 'ts',
        run: false,
        beside: false,
        code: 'x\n',
        output: undefined,
      },
    ])
  })

  it('refuses the output of nothing', () => {
    expect(() => examplesOf('a.md', `${fence}text output\nok\n${fence}\n`)).toThrow('a.md:1')
  })

  it('compares what is printed with what is shown', () => {
    expect(agrees('a …\n…\nz\n', 'a 1\nb\nc\nz\n')).toBe(true)
    expect(agrees('a …\nz\n', 'a 1\nb\nz\n')).toBe(false)
    expect(agrees('a.c\n', 'abc\n')).toBe(false)
  })
})
