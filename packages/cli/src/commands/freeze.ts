/** `rollcall freeze`: silence takes no instance down, for work on the network. */
import { DEFAULTS } from '@rollcall/wire'
import { examples, type CommandModule } from '../command.js'
import { EXIT, UsageError } from '../exit-codes.js'
import { createApiClient } from '../api-client.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'

export const freeze: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description(
        'Freeze a namespace (--namespace "*": all): silence takes no instance down, nothing expires, nothing is deregistered by host. Refused connections, deregistrations and overrides go on. `rollcall unfreeze` ends it.',
      )
      .addHelpText('after', examples("rollcall freeze --namespace '*' --why 'switch replacement'"))
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    if (options.group !== undefined) throw new UsageError('a freeze cannot be narrowed by --group')
    const namespace = options.namespace ?? DEFAULTS.namespace
    const request = { namespace, ...readSignature(command, shell) }
    const answer = await createApiClient(shell, options).call('freeze', { body: request })
    const output = createOutput(shell)
    if (options.json) output.json({ namespace, ...answer })
    else output.line(`${namespace === '*' ? 'all namespaces are' : `namespace ${namespace} is`} frozen`)
    return EXIT.ok
  },
}
