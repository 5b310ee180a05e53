/** A node as a process: configuration in, signals obeyed, exit code out. */
import { composeNode } from './compose.js'
import { type Config, loadConfig } from './config/config.js'
import { createShutdown } from './shutdown.js'

export interface ServerSources {
  /** Flags by their names in the configuration reference. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:7400`. */
  readonly url: string
  readonly address: { readonly host: string; readonly port: number }
  readonly config: Config
  /** Stops in good order and exits the process, as SIGTERM does. */
  stop(reason: string): Promise<void>
}

/**
 * Starts a node in this process; from then on signals stop it and the process exits with its code. Rejects
 * with ConfigError, with JournalError, or with `invalid_argument` when the address cannot be had.
 */
export async function startServer(sources: ServerSources): Promise<RunningServer> {
  const { config } = loadConfig(sources)
  const { address, clock, logger, stopSteps } = await composeNode(config)
  const shutdown = createShutdown(
    { clock, logger, flush: () => logger.flush() },
    { steps: stopSteps, deadlineMs: config.stopMs },
  )
  shutdown.start()
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return { url: `http://${host}:${address.port}`, address, config, stop: (reason) => shutdown.stop(reason) }
}
