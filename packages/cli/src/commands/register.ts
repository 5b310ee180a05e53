/** `rollcall register`: for an instance that cannot register itself. */
import { defined, DEFAULTS, RegistryError, type Registered } from '@rollcall/wire'
import { Option } from 'commander'
import { createApiClient, type ClusterApi } from '../api-client.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { createOutput, type Output } from '../output.js'
import { addInstanceOptions, readInstanceOptions, type InstanceOptions } from '../instance-options.js'
import { explained } from '../override.js'
import { addRegistryOptions, readRegistryOptions, type RegistryOptions } from '../registry-options.js'
import { connectFor } from '../sdk.js'
import type { Shell } from '../shell.js'

const INTENTS = ['starting', 'up', 'draining'] as const

interface Wanted extends InstanceOptions {
  readonly group?: string
  readonly state?: (typeof INTENTS)[number]
}

export const register: CommandModule = {
  define(command) {
    addRegistryOptions(addInstanceOptions(command))
      .description(
        'Register an instance that cannot do it itself, such as a database. It sends no heartbeats, so the registry probes its port from time to time (liveness: probe). With --hold this command keeps a session for it, until it is interrupted.',
      )
      .addOption(new Option('--state <state>', 'what it says of itself (default up)').choices(INTENTS))
      .option('--hold', 'stay, and deregister it on SIGINT or SIGTERM')
      .addHelpText(
        'after',
        examples(
          'rollcall register --service postgres --host 10.0.0.9 --port 5432 --metadata role=primary',
          'rollcall register --service orders --port 3000 --hold',
        ),
      )
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const { state, hold } = command.opts<{ readonly state?: Wanted['state']; readonly hold?: boolean }>()
    const wanted: Wanted = {
      ...readInstanceOptions(command),
      ...defined({ group: options.group, state }),
    }
    const output = createOutput(shell)
    return hold === true
      ? registerAndHold(shell, output, options, wanted)
      : registerOnce(shell, output, options, wanted)
  },
}

async function registerOnce(
  shell: Shell,
  output: Output,
  options: RegistryOptions,
  wanted: Wanted,
): Promise<number> {
  const host = wanted.host ?? (await ownHost(shell, options.registries))
  const { namespace } = options
  const api = createApiClient(shell, options)
  const { results, warnings } = await api.call('register', {
    body: {
      ...defined({ namespace }),
      instances: [{ ...wanted, host, liveness: 'probe' }],
    },
  })
  for (const warning of warnings ?? []) output.note(`rollcall: ${warning}`)
  const [result] = results
  if (result === undefined) throw new RegistryError('protocol', 'the registry answered without a result')
  if (!result.ok) {
    const { code, message, field, details } = result.error
    throw new RegistryError(code, message, {
      // The batch has one item, so its index says nothing.
      ...defined({ field: field?.replace(/^instances\[0\]\./, ''), details }),
    })
  }
  tell(output, options, result, `incarnation ${result.incarnation}, durability ${result.durability}`)
  if (result.state !== undefined)
    output.note(
      `It is ${result.state}, whatever it says of itself${result.reason === undefined ? '' : `: ${result.reason}`}. See \`rollcall explain\`.`,
    )
  if (!options.json && (await isProbed(api, options, result, warnings)))
    output.note(
      `liveness: probe. It sends no heartbeats: it is listed for as long as port ${wanted.port} accepts connections.`,
    )
  return EXIT.ok
}

/** Whether the registry may probe it. Where it may not, a warning said so, and what follows from it. */
async function isProbed(
  api: ClusterApi,
  { namespace = DEFAULTS.namespace }: RegistryOptions,
  { service, group, id }: Registered,
  warnings: readonly string[] | undefined,
): Promise<boolean> {
  if (warnings === undefined) return true
  try {
    const explanation = await explained(api, { namespace, service, group, id })
    return explanation?.evidence?.probeAllowed !== false
  } catch {
    // It is registered, whatever this question came to.
    return true
  }
}

/** The address of this machine on the route to the first registry that has a route. */
async function ownHost(shell: Shell, registries: readonly string[]): Promise<string> {
  for (const registry of registries) {
    const { hostname, port, protocol } = new URL(registry)
    const host = hostname.replace(/^\[|\]$/g, '')
    const own = await shell.ownAddress(host, port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))
    if (own !== undefined) return own
  }
  throw new RegistryError(
    'unreachable',
    `no way leads to ${registries.join(', ')}: name the address with --host`,
  )
}

async function registerAndHold(
  shell: Shell,
  output: Output,
  options: RegistryOptions,
  wanted: Wanted,
): Promise<number> {
  // Listening before anything is registered, so that no signal can leave a registration behind.
  const interrupted = new AbortController()
  const ignore = shell.onSignal(['SIGINT', 'SIGTERM'], () => interrupted.abort())
  let held = false
  const client = await connectFor(options, (text) => held && output.note(text), {
    pendingMs: options.timeoutMs,
  })
  try {
    const registration = await client.register(wanted, { signal: interrupted.signal })
    if (registration.state === 'pending') {
      throw new RegistryError('unreachable', `no registry answers at ${options.registries.join(', ')}`)
    }
    held = true
    const { service, group, id, incarnation } = registration
    tell(output, options, { service, group, id, incarnation }, `incarnation ${incarnation}`)
    if (!options.json) output.note('Held by this process; Ctrl-C deregisters it.')
    await aborted(interrupted.signal)
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  } finally {
    // A second signal ends the process at once.
    ignore()
    await client.close()
  }
  if (!options.json) output.line(`deregistered ${wanted.service}`)
  return EXIT.ok
}

function tell(
  output: Output,
  { json }: RegistryOptions,
  result: Omit<Registered, 'ok' | 'durability'>,
  more: string,
): void {
  if (json) output.json(result)
  else output.line(`registered ${result.service}/${result.group} ${result.id} (${more})`)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
