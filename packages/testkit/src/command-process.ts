/** Runs the built `rollcall` command as a process of its own, as users do. */
import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createSystemClock } from './clock.js'

/** Both from `src` and from `dist` the command is here. */
const COMMAND = fileURLToPath(new URL('../../cli/bin/rollcall.js', import.meta.url))

/** The longest any command takes to stop: the server's own deadline is 10 s. */
const STOP_MS = 15_000
/** Starting Node and reading a large journal on a busy machine; what takes longer hangs. */
const WRITTEN_MS = 30_000

const clock = createSystemClock()

export interface CommandOptions {
  /** Added to the environment, from which ROLLCALL_* is removed: tests do not depend on the environment they are run in. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Path of the command; default: that of this checkout. */
  readonly program?: string | undefined
  /** Working directory; default: that of this process. */
  readonly cwd?: string | undefined
  /** Most descriptors that it may have open. Default: as many as this process. */
  readonly openFilesMax?: number | undefined
  /** What runs it: a command that takes another one, such as `unshare --fork`. Signals go to this. */
  readonly below?: readonly string[] | undefined
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running `rollcall` command. */
export interface CommandProcess {
  readonly pid: number
  readonly process: ChildProcess
  /** Settles when the process has ended and everything it wrote was read; never rejects. */
  readonly exited: Promise<ProcessExit>
  /** All it wrote so far. */
  stdout(): string
  stderr(): string
  /** Resolves to the first match in what it wrote to either stream; rejects when it ends, or 30 s pass, without one. */
  written(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal (default SIGTERM) and waits for the end; kills and rejects when that takes longer than 15 s. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<ProcessExit>
  /** SIGKILL, and waits for the end. Idempotent. */
  kill(): Promise<void>
}

const running = new Set<ChildProcess>()

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Kills every command this process has started and that still runs, and waits for their end. For `afterEach`. */
export async function killCommands(): Promise<void> {
  const ends = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)))
  killAll()
  await Promise.all(ends)
}

/** Starts `rollcall` with these arguments. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): CommandProcess {
  const { below = [], program = COMMAND, openFilesMax } = options
  const own = [...below, process.execPath, program, ...args]
  const [first = '', ...words] =
    openFilesMax === undefined ? own : ['sh', '-c', `ulimit -n ${openFilesMax} && exec "$0" "$@"`, ...own]
  const child = spawn(first, words, {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  // A test run that ends early must not leave processes behind.
  if (!process.listeners('exit').includes(killAll)) process.once('exit', killAll)
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk))
  const exited = endOf(child, (message) => (text.err += message))
  const everything = (): string => `${text.out}${text.err}`
  const end = async (signal: NodeJS.Signals): Promise<ProcessExit> => {
    child.kill(signal)
    return within(STOP_MS, exited, () => {
      child.kill('SIGKILL')
      return new Error(
        `rollcall ${args.join(' ')} did not stop within ${STOP_MS} ms of ${signal}\n${everything()}`,
      )
    })
  }
  return {
    pid: child.pid ?? 0,
    process: child,
    exited,
    stdout: () => text.out,
    stderr: () => text.err,
    written(pattern) {
      const late = (): Error =>
        new Error(`rollcall ${args.join(' ')} did not write ${String(pattern)}; it wrote:\n${everything()}`)
      const find = (): RegExpExecArray | null => pattern.exec(text.out) ?? pattern.exec(text.err)
      return within(WRITTEN_MS, firstMatch(child, exited, find, late), late)
    },
    stop: (signal = 'SIGTERM') => end(signal),
    kill: async () => void (await end('SIGKILL')),
  }
}

function firstMatch(
  { stdout, stderr }: Pick<ChildProcessByStdio<null, Readable, Readable>, 'stdout' | 'stderr'>,
  exited: Promise<ProcessExit>,
  find: () => RegExpExecArray | null,
  missing: () => Error,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const found = find()
      if (found === null) return
      for (const stream of [stdout, stderr]) stream.off('data', look)
      resolve(found)
    }
    for (const stream of [stdout, stderr]) stream.on('data', look)
    look()
    // Rejecting after it was found does nothing.
    void exited.then(() => reject(missing()))
  })
}

function endOf(child: ChildProcess, failed: (message: string) => void): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      running.delete(child)
      failed(error.message)
      resolve({ code: null, signal: null })
    })
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    })
  })
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ROLLCALL_')))
}

async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let cancel = (): void => undefined
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(ms, () => reject(late()))
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    cancel()
  }
}
