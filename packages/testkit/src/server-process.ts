/** Runs a built node as a process of its own. */
import { killCommands, startCommand, type CommandOptions, type CommandProcess } from './command-process.js'

export interface ServerProcessOptions extends CommandOptions {
  /** Further arguments of `rollcall serve`. */
  readonly args?: readonly string[]
  /** Where the journal is kept; `--memory` without it. */
  readonly dataDir?: string
  /** Default `127.0.0.1:0`, a free port. Give the address of a stopped server to start it again in its place. */
  readonly listen?: string
}

/** A running server. */
export interface ServerProcess extends CommandProcess {
  /** Such as `http://127.0.0.1:41234`, without a slash at the end. */
  readonly url: string
  readonly host: string
  readonly port: number
}

/**
 * Starts the built `rollcall serve` and resolves once it listens. Rejects with what it wrote when it ends or takes
 * longer than 30 s before that. Call `killServerProcesses` after each test, or stop each server where it is used.
 */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const storage = options.dataDir === undefined ? ['--memory'] : ['--data', options.dataDir]
  const args = ['serve', '--listen', options.listen ?? '127.0.0.1:0', ...storage, ...(options.args ?? [])]
  const command = startCommand(args, options)
  const url = await addressOf(command)
  const { hostname, port } = new URL(url)
  return { ...command, url, host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
}

async function addressOf(command: CommandProcess): Promise<string> {
  try {
    const [, url = ''] = await command.written(/^rollcall listens on (http:\/\/\S+)\s/m)
    return url
  } catch (error) {
    await command.kill()
    throw error
  }
}

/** Kills every server and command this process has started and that still runs, and waits for their end. For `afterEach`. */
export const killServerProcesses: () => Promise<void> = killCommands
