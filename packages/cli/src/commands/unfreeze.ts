/** `rollcall unfreeze`: ends a freeze. */
import { DEFAULTS } from '@rollcall/wire'
import { examples, type CommandModule } from '../command.js'
import { EXIT, UsageError } from '../exit-codes.js'
import { createApiClient } from '../api-client.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'

export const unfreeze: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description('End the freeze of a namespace, by the same name as it began (--namespace "*": of all).')
      .addHelpText('after', examples("rollcall unfreeze --namespace '*'"))
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    if (options.group !== undefined) throw new UsageError('a freeze cannot be narrowed by --group')
    const namespace = options.namespace ?? DEFAULTS.namespace
    const request = { namespace, ...readSignature(command, shell) }
    const answer = await createApiClient(shell, options).call('unfreeze', { body: request })
    const output = createOutput(shell)
    if (options.json) output.json({ namespace, ...answer })
    else if (answer.removed) output.line(`the freeze of ${namespace} has ended`)
    else output.note(`${namespace} was not frozen under this name.`)
    return answer.removed ? EXIT.ok : EXIT.failed
  },
}
