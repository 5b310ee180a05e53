/** `rollcall watch SERVICE…`: the lists, then every change, until it is interrupted. */
import type { ListChange, Rollcall, Service } from '@rollcall/client'
import { defined, RegistryError } from '@rollcall/wire'
import { ChangeReader, eventLine, type InstanceEvent } from '../changes.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { instanceColumns, sorted } from '../instance-columns.js'
import { createOutput, type Output } from '../output.js'
import { addRegistryOptions, readRegistryOptions, type RegistryOptions } from '../registry-options.js'
import { connectFor } from '../sdk.js'
import type { Shell } from '../shell.js'

/** How changes are told. */
interface Wanted {
  readonly json: boolean
  readonly wide: boolean
}

export const watch: CommandModule = {
  define(command) {
    addRegistryOptions(command)
      .description(
        'Print the list of each service, then one line per change: + added, ~ changed, - removed. Goes on through outages of the registry. With --json, one document per line.',
      )
      .argument('<service...>', 'names of services')
      .option('--wide', 'all columns of the lists, ADDRESS and METADATA too')
      .addHelpText(
        'after',
        examples(
          'rollcall watch orders payments',
          'rollcall watch orders --json | jq -c \'select(.event == "removed")\'',
        ),
      )
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const { wide = false } = command.opts<{ readonly wide?: boolean }>()
    const output = createOutput(shell)
    const missing = new Set(command.args)
    // Until every service is listed, the error of the command says what the warnings would.
    const client = await connectFor(options, (text) => missing.size === 0 && output.note(text))
    const ended = new AbortController()
    let cancel = (): void => undefined
    let reject = (_error: RegistryError): void => undefined
    // A service without a first list within the timeout is an error, not an outage to wait out.
    const late = new Promise<never>((_, rejected) => {
      reject = rejected
      cancel = shell.clock.setTimer(
        options.timeoutMs,
        () => missing.size > 0 && rejected(failure(client, options)),
      )
    })
    try {
      const follow = (name: string): Promise<void> => {
        const service = client.service(name, defined({ group: options.group }))
        void service.ready({ timeoutMs: options.timeoutMs }).catch(() => turnedAway(client, reject))
        return followService(shell, output, { ...options, wide }, service, ended.signal, () =>
          missing.delete(name),
        )
      }
      await Promise.race([late, Promise.all([...missing].map(follow))])
    } finally {
      cancel()
      ended.abort()
      await client.close()
    }
    return EXIT.ok
  },
}

function failure(client: Rollcall, { registries, timeoutMs }: RegistryOptions): RegistryError {
  const names = registries.join(', ')
  return client.status().connection.state === 'connected'
    ? new RegistryError('timeout', `${names} sent no list within ${timeoutMs} ms`)
    : new RegistryError('unreachable', `no registry answers at ${names}${reasonOfLoss(client)}`)
}

function reasonOfLoss(client: Rollcall): string {
  const { lastError } = client.status()
  return lastError === undefined ? '' : `: ${lastError.message}`
}

/** A wait for a service ended in vain: where the registries refuse the connection, that is the error of the command. */
function turnedAway(client: Rollcall, reject: (error: RegistryError) => void): void {
  const { connection } = client.status()
  if ('error' in connection && connection.error !== undefined) reject(connection.error)
}

async function followService(
  shell: Shell,
  output: Output,
  { json, wide }: Wanted,
  service: Service,
  signal: AbortSignal,
  arrived: () => void,
): Promise<void> {
  const reader = new ChangeReader()
  let listed = false
  for await (const change of service.changes({ signal })) {
    if (change.source !== 'registry') continue
    const events = reader.read(change)
    if (!listed) {
      listed = true
      arrived()
      showList(shell, output, { json, wide }, service, change)
      continue
    }
    for (const event of events) {
      if (json)
        output.json({
          time: isoTime(shell),
          event: event.event,
          instance: event.instance,
          ...reasonOf(event),
        })
      else output.line(eventLine(shell.clock.wallNow(), event, output.paint))
    }
  }
}

function showList(
  shell: Shell,
  output: Output,
  { json, wide }: Wanted,
  service: Service,
  change: ListChange,
): void {
  const instances = sorted(change.instances)
  const { namespace, name, group } = service
  if (json) {
    const view = {
      namespace,
      service: name,
      ...defined({ group }),
      sign: change.sign,
      instances,
    }
    output.json({ time: isoTime(shell), event: 'list', ...view })
    return
  }
  output.line(`${name}: ${instances.length} ${instances.length === 1 ? 'instance' : 'instances'}`)
  if (instances.length > 0) output.table(instanceColumns(instances), instances, { wide })
}

function reasonOf({ reason }: InstanceEvent): { readonly reason?: string } {
  return defined({ reason })
}

function isoTime({ clock }: Shell): string {
  return new Date(clock.wallNow()).toISOString()
}
