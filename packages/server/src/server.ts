/** A node as a process (configuration in, signals obeyed, exit code out), and as a part of another one. */
import { type ComposedNode, composeNode } from './compose.js'
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
  /** Where the protocols of other registries are served, such as `eureka`: `http://127.0.0.1:8761`. */
  readonly foreign: Readonly<Record<string, string>>
  readonly config: Config
  /** Stops in good order and exits the process, as SIGTERM does. */
  stop(reason: string): Promise<void>
}

/** A node that is part of a process with a purpose of its own, such as a test. */
export interface EmbeddedNode {
  /** Such as `http://127.0.0.1:7400`. */
  readonly url: string
  /** Where the protocols of other registries are served, such as `eureka`: `http://127.0.0.1:8761`. */
  readonly foreign: Readonly<Record<string, string>>
  readonly config: Config
  /** Stops in good order: sends clients elsewhere, finishes requests, commits the journal. Idempotent. Rejects when changes are lost. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a node in this process; from then on signals stop it and the process exits with its code. Rejects
 * with ConfigError, with JournalError, or with `invalid_argument` when the address cannot be had.
 */
export async function startServer(sources: ServerSources): Promise<RunningServer> {
  const { config } = loadConfig(sources)
  const node = await composeNode(config)
  const { address, clock, logger, stopSteps } = node
  const shutdown = createShutdown(
    { clock, logger, flush: () => logger.flush() },
    { steps: stopSteps, deadlineMs: config.stopMs },
  )
  shutdown.start()
  // Without a listener Node opens its debugger to every user of the machine.
  process.on('SIGUSR1', () => logger.info({}, 'SIGUSR1 means nothing to a node'))
  return {
    url: urlOf(address),
    address,
    foreign: foreignOf(node),
    config,
    stop: (reason) => shutdown.stop(reason),
  }
}

/**
 * Starts a node that leaves signals and the end of the process to others. `settings` are flags, such as
 * `{ memory: true, listen: '127.0.0.1:0' }`; neither the environment nor a file is read. Rejects as `startServer` does.
 */
export async function startNode(settings: ServerSources['flags']): Promise<EmbeddedNode> {
  const { config } = loadConfig({ flags: settings, env: {}, readFile: () => undefined })
  const node = await composeNode(config)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= stop(node))
  return { url: urlOf(node.address), foreign: foreignOf(node), config, close, [Symbol.asyncDispose]: close }
}

/** Runs every step, also after one that failed; rejects with the first failure. */
async function stop({ stopSteps, logger }: ComposedNode): Promise<void> {
  const failures: unknown[] = []
  for (const step of stopSteps) {
    try {
      await step.run()
    } catch (error) {
      failures.push(error)
    }
  }
  logger.flush()
  if (failures.length > 0) throw failures[0]
}

function foreignOf({ foreign }: ComposedNode): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(foreign).map(([protocol, address]) => [protocol, urlOf(address)]))
}

function urlOf({ host, port }: ComposedNode['address']): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
