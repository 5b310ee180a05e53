/** `rollcall enable SERVICE ID`: clears the override of an instance. */
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { createApiClient } from '../api-client.js'
import { createOutput } from '../output.js'
import { instanceOf, nameOf, onlyResult } from '../override.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'

export const enable: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description('Clear the override of an instance: draining, a ban, another weight.')
      .argument('<service>', 'name of the service')
      .argument('<id>', 'id of the instance, as `rollcall instances` shows it')
      .addHelpText('after', examples('rollcall enable orders 10.0.0.5:3000'))
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const [service = '', id = ''] = command.args
    const answer = await createApiClient(shell, options).call('clearOverrides', {
      body: {
        instances: [instanceOf(service, id, options)],
        ...readSignature(command, shell),
      },
    })
    const result = onlyResult(answer)
    const output = createOutput(shell)
    if (options.json) output.json(result)
    else
      output.line(`${nameOf(result)} ${result.state === undefined ? 'is not listed' : `is ${result.state}`}`)
    return EXIT.ok
  },
}
