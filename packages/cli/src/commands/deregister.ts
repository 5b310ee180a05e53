/** `rollcall deregister SERVICE ID` and `rollcall deregister --host HOST`. */
import {
  defined,
  DEFAULTS,
  isRegistryError,
  RegistryError,
  type DeregisterRequest,
  type DeregisterResponse,
  type OfBatch,
  type ResolvedRef,
  type Signature,
} from '@rollcall/wire'
import { createApiClient, type ClusterApi } from '../api-client.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT, UsageError } from '../exit-codes.js'
import { createOutput, type Output } from '../output.js'
import { addRegistryOptions, readRegistryOptions, type RegistryOptions } from '../registry-options.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'
import type { Column } from '../table.js'

type Removal = OfBatch<DeregisterResponse>

interface Options {
  readonly host?: string
  readonly confirm?: boolean
}

const COLUMNS: readonly Column<ResolvedRef>[] = [
  { title: 'NAMESPACE', text: ({ namespace }) => namespace },
  { title: 'SERVICE', text: ({ service }) => service },
  { title: 'GROUP', text: ({ group }) => group },
  { title: 'ID', text: ({ id }) => id },
]

export const deregister: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description(
        'Take one instance out for good, or everything on a host. What was taken out never comes back by itself; a process that still runs registers anew after a minute.',
      )
      .argument('[service]', 'name of the service')
      .argument('[id]', 'id of the instance, as `rollcall instances` shows it')
      .option('--host <host>', 'everything on this host instead (--namespace "*" for all namespaces)')
      .option('--confirm', 'do it although it takes at least half of a service')
      .addHelpText(
        'after',
        examples(
          'rollcall deregister orders 10.0.0.5:3000',
          'rollcall deregister --host 10.0.0.5 --namespace "*"',
        ),
      )
  },

  async run(shell, command) {
    const scope = readRegistryOptions(command, shell.env)
    const { host, confirm } = command.opts<Options>()
    const [service, id] = command.args
    const api = createApiClient(shell, scope)
    const output = createOutput(shell)
    const signature = readSignature(command, shell)
    if (host !== undefined) {
      if (service !== undefined) throw new UsageError('name an instance or a --host, not both')
      if (scope.group !== undefined)
        throw new UsageError('--host takes everything on the host; it cannot be narrowed by --group')
      const namespace = scope.namespace ?? DEFAULTS.namespace
      return report(
        output,
        scope,
        await removeHost(api, output, scope, { namespace, host, confirm: confirm === true, ...signature }),
      )
    }
    if (service === undefined || id === undefined)
      throw new UsageError('name the service and the id of the instance, or a --host')
    return report(output, scope, await removeOne(api, scope, { service, id }, signature))
  },
}

/** The incarnation that is registered now, and no later one: what registers meanwhile is not meant. */
async function removeOne(
  api: ClusterApi,
  { namespace = DEFAULTS.namespace, group = DEFAULTS.group }: RegistryOptions,
  { service, id }: Pick<ResolvedRef, 'service' | 'id'>,
  signature: Signature,
): Promise<Removal> {
  const { incarnation } = await api.call('getInstance', { service, id, namespace, group })
  const instances = [{ namespace, service, group, id, incarnation }]
  return api.call('deregister', { body: { instances, ...signature } })
}

async function removeHost(
  api: ClusterApi,
  output: Output,
  { json }: RegistryOptions,
  request: DeregisterRequest,
): Promise<Removal> {
  try {
    return await api.call('deregister', { body: request })
  } catch (error) {
    if (!json && isRegistryError(error) && error.code === 'needs_confirmation') {
      output.noteTable(COLUMNS, listOf(error))
    }
    throw error
  }
}

/** The list travels in the details, which have no type. */
function listOf({ details }: RegistryError): ResolvedRef[] {
  const list: unknown = details?.['instances']
  if (!Array.isArray(list)) return []
  return list.filter((item): item is ResolvedRef => typeof item === 'object' && item !== null && 'id' in item)
}

function report(output: Output, { json }: RegistryOptions, response: Removal): number {
  const fault = response.error ?? response.errors?.[0]
  if (fault !== undefined) throw new RegistryError(fault.code, fault.message, defined({ field: fault.field }))
  if (json) {
    output.json(response)
  } else {
    for (const { service, group, id } of response.removed)
      output.line(`deregistered ${service}/${group} ${id}`)
  }
  // A registry of an earlier release calls it a success.
  if (response.removed.length === 0) output.note('Nothing was removed.')
  return response.removed.length === 0 ? EXIT.failed : EXIT.ok
}
