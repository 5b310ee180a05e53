/** Options of every command that talks to a registry. */
import { InvalidArgumentError, type Command } from 'commander'
import { DEFAULTS } from '@rollcall/wire'
import { readDuration, readRegistries } from './arguments.js'
import { UsageError } from './exit-codes.js'
import type { Shell } from './shell.js'

/** What the command line and the environment say about the registry. */
export interface RegistryOptions {
  /** At least one, in the order in which they are tried; without a slash at the end. */
  readonly registries: readonly string[]
  /** Undefined where the command line names none. */
  readonly namespace: string | undefined
  readonly group: string | undefined
  readonly timeoutMs: number
  readonly json: boolean
}

const TIMEOUT_MS = 5_000

/** Declares `--registry --namespace --group --timeout --json`. */
export function addRegistryOptions(command: Command): Command {
  return command
    .option(
      '--registry <url,...>',
      `registry nodes of one cluster, tried in order (or ROLLCALL_REGISTRY; default http://${DEFAULTS.listen})`,
      readRegistries,
    )
    .option('--namespace <name>', 'namespace')
    .option('--group <name>', 'group of the service')
    .option('--timeout <time>', 'give up after this long, such as 500ms or 10s (default 5s)', readDuration)
    .option('--json', 'JSON for scripts, one document in a line')
}

interface Parsed {
  readonly registry?: readonly string[]
  readonly namespace?: string
  readonly group?: string
  readonly timeout?: number
  readonly json?: boolean
}

/** Completes what was parsed from the environment and the defaults. */
export function readRegistryOptions(command: Command, env: Shell['env']): RegistryOptions {
  const { registry, namespace, group, timeout, json } = command.opts<Parsed>()
  return {
    registries: registry ?? fromEnvironment(env),
    namespace,
    group,
    timeoutMs: timeout ?? TIMEOUT_MS,
    json: json === true,
  }
}

function fromEnvironment(env: Shell['env']): readonly string[] {
  const text = env['ROLLCALL_REGISTRY'] ?? ''
  try {
    return readRegistries(text === '' ? `http://${DEFAULTS.listen}` : text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UsageError(`ROLLCALL_REGISTRY: ${error.message}`)
    throw error
  }
}
