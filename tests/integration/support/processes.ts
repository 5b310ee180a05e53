/** Real processes for the tests of the SDK; all that are still there end with `endAll`. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export { freePort } from '@rollcall/testkit'

/** A child that said it is ready. */
export interface Child {
  readonly process: ChildProcess
  /** What it was ready with: a URL or an instance id. */
  readonly ready: string
}

// The test runner asks for sources, which plain Node cannot read; children use what was built.
const OPTIONS = { silent: true, execArgv: [] }

const children = new Set<ChildProcess>()

/** A script of this folder, and what runs it: default this Node, else a command that becomes Node in the end. */
export interface Program {
  readonly script: string
  readonly command?: readonly string[]
}

/** Starts a script of this folder and waits until it says that it is ready. */
export async function start(program: string | Program, ...args: string[]): Promise<Child> {
  const child = spawnScript(program, args)
  let output = ''
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()))
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()))
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`${child.spawnargs.join(' ')} ended before it was ready: ${output}`)
    }),
  ])) as [{ readonly ready: string }]
  return { process: child, ready: message.ready }
}

/** Runs a script of this folder to its end and gives back what it printed. */
export async function run(
  program: string | Program,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawnScript(program, args)
  let output = ''
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

function spawnScript(program: string | Program, args: string[]): ChildProcess {
  const { script, command = [] }: Program = typeof program === 'string' ? { script: program } : program
  const words = [...command, process.execPath]
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    ...OPTIONS,
    execPath: words[0]!,
    execArgv: words.slice(1),
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Ends a child with a signal and waits until it is gone. */
export async function end({ process: child }: Child, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

/** Kills what is left. */
export async function endAll(): Promise<void> {
  await Promise.all([...children].map((child) => end({ process: child, ready: '' }, 'SIGKILL')))
}

/** Waits until a condition holds; fails with `what` after the time given. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<number> {
  const startedAt = performance.now()
  while (!(await condition())) {
    if (performance.now() - startedAt > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return performance.now() - startedAt
}
