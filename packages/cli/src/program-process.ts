/** The program that `run` starts, and whether its port accepts connections. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Program, ProgramEnd } from './supervisor.js'

/** Starts a program with our own standard streams, so that it cannot tell the difference. */
export function startProgram(command: string, args: readonly string[]): Program {
  const child = spawn(command, args, { stdio: 'inherit' })
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
  return { ended, signal: (signal) => void child.kill(signal) }
}

/** Whether a program stands where it would be started from. A folder of the path without permission to enter holds none. */
function isFound(command: string): boolean {
  if (command.includes('/')) return existsSync(command)
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, command)))
}

/** A port that does not answer within this is not open; on this machine an answer takes microseconds. */
const CONNECT_MS = 1_000

/** Whether one of the hosts accepts a connection. */
export async function acceptsConnections(hosts: readonly string[], port: number): Promise<boolean> {
  for (const host of hosts) if (await acceptsAt(host, port)) return true
  return false
}

function acceptsAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.setTimeout(CONNECT_MS, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
