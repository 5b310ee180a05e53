/** Processes that do not outlive the one that started them, however that ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createSystemClock } from '../clock.js'

/**
 * The shell tells the id of the program and kills it when its own input ends, as it does when the starter is gone. The
 * program is a child of the shell, so signals must go to the id.
 */
const SCRIPT = `exec 3<&0
"$0" "$@" </dev/null >&2 3<&- &
program=$!
echo "$program"
(cat <&3 >/dev/null; kill -9 "$program") 2>/dev/null &
watch=$!
exec 3<&-
wait "$program"
kill "$watch"`

/** What is kept of what a program says. */
const SAID_MAX = 65_536

const clock = createSystemClock()

export interface BoundProcess {
  /** Of the program. */
  readonly pid: number
  readonly isRunning: boolean
  /** Settles when it has ended; never rejects. */
  readonly ended: Promise<unknown>
  /** The last of what it said. */
  said(): string
  signal(signal: NodeJS.Signals): void
  /** SIGSTOP, and waits until it has stopped. */
  pause(): Promise<void>
}

/** Starts a program bound to this process. */
export async function startBound(program: string, args: readonly string[]): Promise<BoundProcess> {
  const shell = spawn('sh', ['-c', SCRIPT, program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  shell.stderr.setEncoding('utf8').on('data', (chunk: string) => (said = (said + chunk).slice(-SAID_MAX)))
  shell.stdin.on('error', () => {})
  const ended = once(shell, 'exit').then(() => shell.stdin.destroy())
  const [line] = (await once(shell.stdout.setEncoding('utf8'), 'data')) as [string]
  const pid = Number(line)
  const signal = (name: NodeJS.Signals): void => {
    if (isRunning(shell)) process.kill(pid, name)
  }
  return {
    pid,
    get isRunning() {
      return isRunning(shell)
    },
    ended,
    said: () => said,
    signal,
    async pause() {
      signal('SIGSTOP')
      while (isRunning(shell) && !hasStopped(pid))
        await new Promise<void>((resolve) => clock.setTimer(1, resolve))
    },
  }
}

/** Whether the kernel says so; where it cannot be asked, the signal must do. */
function hasStopped(pid: number): boolean {
  try {
    return /^\d+ \(.*\) T/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}
