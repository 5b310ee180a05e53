/** Options of every command that talks to a registry. */
import { InvalidArgumentError, type Command } from 'commander'
import { readFileSync } from 'node:fs'
import type { TlsOptions } from '@rollcall/client'
import { DEFAULTS, defined } from '@rollcall/wire'
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
  /** Undefined where no option says anything of it. */
  readonly tls: TlsOptions | undefined
}

const TIMEOUT_MS = 5_000

/**
 * Declares `--registry --namespace --group --timeout --json`, and those of TLS. What is about a whole cluster, or one node
 * of it, takes neither namespace nor group.
 */
export function addRegistryOptions(command: Command, about: 'services' | 'cluster' = 'services'): Command {
  command.option(
    '--registry <url,...>',
    `registry nodes of one cluster, tried in order (or ROLLCALL_REGISTRY; default http://${DEFAULTS.listen})`,
    readRegistries,
  )
  if (about === 'services')
    command.option('--namespace <name>', 'namespace').option('--group <name>', 'group of the service')
  return command
    .option('--timeout <time>', 'give up after this long, such as 500ms or 10s (default 5s)', readDuration)
    .option('--json', 'JSON for scripts, one document in a line')
    .option('--ca <file>', 'certificates of the authorities that are trusted for https registries, PEM')
    .option('--cert <file>', 'own certificate for https registries that ask for one, PEM; goes with --key')
    .option('--key <file>', 'key of --cert, PEM')
    .option(
      '--server-name <name>',
      'name that the certificate of a registry has to be of (default: its host)',
    )
}

/** The certificates that the options name; a file that cannot be read is a fault of usage. */
function readTls({ ca, cert, key, serverName }: Parsed): TlsOptions | undefined {
  const tls = defined({ ca: readPem(ca), cert: readPem(cert), key: readPem(key), servername: serverName })
  return Object.keys(tls).length === 0 ? undefined : tls
}

function readPem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

interface Parsed {
  readonly registry?: readonly string[]
  readonly namespace?: string
  readonly group?: string
  readonly timeout?: number
  readonly json?: boolean
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
}

/** Completes what was parsed from the environment and the defaults. */
export function readRegistryOptions(command: Command, env: Shell['env']): RegistryOptions {
  const parsed = command.opts<Parsed>()
  const { registry, namespace, group, timeout, json } = parsed
  return {
    registries: registry ?? fromEnvironment(env),
    namespace,
    group,
    timeoutMs: timeout ?? TIMEOUT_MS,
    json: json === true,
    tls: readTls(parsed),
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
