/** Starts, watches and ends the demo's processes. Whatever happens, none is left behind. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../../../packages/cli/bin/rollcall.js', import.meta.url))

const READY_TRIES = 800
const READY_STEP_MS = 25

const running = new Set<ChildProcess>()
const reporters = new WeakSet<ChildProcess>()

/** A process of the demo that reports over IPC. */
export interface Reporter {
  readonly process: ChildProcess
  readonly pid: number
}

/** Starts one of the demo's own programs, by its path here without the ending; what it reports is of the kind that `onMessage` takes. */
export function startReporter(
  program: string,
  args: readonly string[],
  onMessage: (message: never) => void,
): Reporter {
  const child = fork(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  track(child)
  reporters.add(child)
  // What it logs stands between the lines of the account, so each line says whose it is.
  createInterface({ input: child.stderr as Readable }).on('line', (line) => {
    process.stderr.write(`         ${program} ${child.pid}: ${line}\n`)
  })
  child.on('message', (message) => onMessage(message as never))
  return { process: child, pid: child.pid as number }
}

/** Starts a registry, with further flags of `rollcall serve`, and resolves when it is ready. */
export async function startRegistry(
  port: number,
  dataDir: string,
  flags: readonly string[] = [],
): Promise<ChildProcess> {
  const own = ['--listen', `127.0.0.1:${port}`, '--data', dataDir, '--log-level', 'error']
  const child = spawn(process.execPath, [COMMAND, 'serve', ...own, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000)
  })
  track(child)
  const url = `http://127.0.0.1:${port}/readyz`
  for (let attempt = 0; attempt < READY_TRIES; attempt++) {
    if (child.exitCode !== null) throw new Error(`the registry exited with code ${child.exitCode}: ${said}`)
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return child
    await new Promise((resolve) => setTimeout(resolve, READY_STEP_MS))
  }
  throw new Error(
    `the registry did not become ready within ${(READY_TRIES * READY_STEP_MS) / 1_000} s: ${said}`,
  )
}

/** The preferred port if it is free, else any free one. */
export async function freePort(preferred: number): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? preferred
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer()
  const bound = new Promise<number | undefined>((resolve) => {
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  const result = await bound
  if (result !== undefined) await new Promise((resolve) => server.close(resolve))
  return result
}

/** Sends a signal and waits for the end. */
export async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/** Ends everything that still runs: politely, then by force. Registries last, for the others still have to deregister there. */
export async function endAll(): Promise<void> {
  const children = [...running]
  const force = setTimeout(() => {
    for (const child of children) child.kill('SIGKILL')
  }, 6_000)
  for (const reports of [true, false])
    await Promise.all(
      children.filter((child) => reporters.has(child) === reports).map((child) => end(child, 'SIGTERM')),
    )
  clearTimeout(force)
}

function track(child: ChildProcess): void {
  running.add(child)
  child.once('exit', () => running.delete(child))
}

// The last resort, for a narrator that dies of a mistake of its own.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
