/** The program that `run` starts, and whether its port accepts connections. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import type { PortLook } from './port-watch.js'
import type { Program, ProgramEnd } from './supervisor.js'

/**
 * Starts a program with our own standard streams, so that it cannot tell the difference. `group`: in a process group
 * of its own, to which signals go, as shells and npm pass on none.
 */
export function startProgram(command: string, args: readonly string[], group: boolean): Program {
  const child = spawn(command, args, { stdio: 'inherit', detached: group })
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      // Also when a signal could not be sent; then the program runs, and its end follows.
      if (child.pid !== undefined) return
      const missing = error.code === 'ENOENT' || !isFound(command)
      const message = missing
        ? `${command}: no such program`
        : `${command}: cannot be run (${error.code ?? error.message})`
      resolve({ failure: missing ? 'not found' : 'not executable', message })
    })
    child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }))
  })
  const { pid } = child
  if (!group || pid === undefined)
    return { ended, signal: (signal) => void child.kill(signal), leftOthers: () => false }
  return { ended, signal: (signal) => void signalGroup(pid, signal), leftOthers: () => groupRuns(pid) }
}

/** Whether there was a process to take it. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

/** Whether a process of a group runs. Those that ended and were not reaped count for the kernel, not here. */
function groupRuns(group: number): boolean {
  if (!signalGroup(group, 0)) return false
  try {
    return readdirSync('/proc').some((name) => /^\d+$/.test(name) && runsIn(group, name))
  } catch {
    return true
  }
}

function runsIn(group: number, pid: string): boolean {
  try {
    // `12 (name, which may hold anything) S parent group …`
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, , itsGroup] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return Number(itsGroup) === group && state !== 'Z' && state !== 'X'
  } catch {
    // It has ended meanwhile.
    return false
  }
}

/** Whether a program stands where it would be started from. A folder of the path without permission to enter holds none. */
function isFound(command: string): boolean {
  if (command.includes('/')) return existsSync(command)
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, command)))
}

/** A port that does not answer within this is not open; on this machine an answer takes microseconds. */
const CONNECT_MS = 1_000

/** Of an address that this machine does not have, such as ::1 where IPv6 is off. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** `open` if one of the hosts accepts a connection, `refused` if those that are there refuse it. */
export async function lookAtPort(hosts: readonly string[], port: number): Promise<PortLook> {
  const failures: string[] = []
  for (const host of hosts) {
    const failure = await connectTo(host, port)
    if (failure === undefined) return 'open'
    failures.push(failure)
  }
  const present = failures.filter((code) => !ABSENT.has(code))
  return present.length > 0 && present.every((code) => code === 'ECONNREFUSED') ? 'refused' : 'unknown'
}

/** The code of what went wrong; undefined when it was accepted. */
function connectTo(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (failure: string | undefined): void => {
      socket.destroy()
      resolve(failure)
    }
    socket.setTimeout(CONNECT_MS, () => end('ETIMEDOUT'))
    socket.once('connect', () => end(undefined))
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => end(code))
  })
}
