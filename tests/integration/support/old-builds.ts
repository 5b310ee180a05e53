/**
 * Builds of earlier commits of this repository, with today's libraries. They live in `.cache/` of the checkout, by commit.
 * Where the history is not there (a shallow clone, an archive) there are none, and what needs them is not run.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSystemClock } from '../../../packages/testkit/src/clock.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const START_MS = 30_000

/** Why there can be no build of a commit, or undefined. */
export function missing(commit: string): string | undefined {
  const { status } = spawnSync('git', ['-C', ROOT, 'cat-file', '-e', `${commit}^{tree}`], { stdio: 'ignore' })
  return status === 0 ? undefined : `this checkout has no history down to ${commit.slice(0, 9)}`
}

/** The folder of a build; made at the first call. */
export function buildOf(commit: string): string {
  const folder = join(ROOT, '.cache', 'builds', commit)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const work = mkdtempSync(join(dirname(folder), '.building-'))
  try {
    const archive = execFileSync('git', ['-C', ROOT, 'archive', commit], { maxBuffer: 1e9 })
    execFileSync('tar', ['x', '-C', work], { input: archive })
    linkModules(work)
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    execFileSync(process.execPath, [compiler, '-b', 'packages/cli', 'packages/client'], {
      cwd: work,
      stdio: 'pipe',
    })
    // Another process may have been faster; its build is as good.
    if (!existsSync(folder)) renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return folder
}

/** Today's libraries, and its own packages, by links that hold when the folder gets its name. */
export function linkModules(work: string): void {
  const own = join(work, 'node_modules', '@rollcall')
  mkdirSync(own, { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '@rollcall') symlinkSync(join(ROOT, 'node_modules', name), join(work, 'node_modules', name))
  for (const name of readdirSync(join(work, 'packages')))
    symlinkSync(join('..', '..', 'packages', name), join(own, name))
}

/** A process of an old build. */
export interface OldProcess {
  readonly process: ChildProcess
  output(): string
  /** Ends it in good order and resolves to its exit code. */
  stop(): Promise<number | null>
}

/** An old node that listens. */
export interface OldNode extends OldProcess {
  readonly url: string
  readonly host: string
  readonly port: number
}

const clock = createSystemClock()
const running = new Set<ChildProcess>()

/** Kills every old process that still runs. For `afterEach`. */
export function killOldProcesses(): void {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}

/** Starts a script with the Node of this process and resolves once it wrote what matches. Rejects with what it wrote when it ends before. */
export async function startOld(
  args: readonly string[],
  pattern: RegExp,
): Promise<OldProcess & { readonly match: RegExpExecArray }> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  running.add(child)
  let text = ''
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${args.join(' ')} ${why}:\n${text}`))
    const cancel = clock.setTimer(START_MS, () => fail('took too long'))
    const look = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = pattern.exec(text)
      if (found !== null) resolve(found)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('close', () => {
      cancel()
      running.delete(child)
      fail('ended')
    })
  })
  const stop = async (): Promise<number | null> => {
    const ended = once(child, 'close') as Promise<[number | null]>
    child.kill('SIGTERM')
    return (await ended)[0]
  }
  return { process: child, output: () => text, stop, match }
}

/** Starts `rollcall serve` of an old build. */
export async function startOldNode(build: string, data: string, listen = '127.0.0.1:0'): Promise<OldNode> {
  const command = join(build, 'packages/cli/bin/rollcall.js')
  const node = await startOld(
    [command, 'serve', '--listen', listen, '--data', data],
    /^rollcall listens on (http:\/\/\S+)\s/m,
  )
  const url = node.match[1] ?? ''
  const { hostname, port } = new URL(url)
  return { ...node, url, host: hostname, port: Number(port) }
}
