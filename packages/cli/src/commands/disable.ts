/** `rollcall disable SERVICE ID`: no calls for this instance, whatever state it reports. */
import { defined } from '@rollcall/wire'
import { readSpan } from '../arguments.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { createApiClient } from '../api-client.js'
import { createOutput } from '../output.js'
import { instanceOf, nameOf, onlyResult, standingOf } from '../override.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'

export const disable: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description('Ban an instance: it gets no calls, also when it registers anew, until `rollcall enable`.')
      .argument('<service>', 'name of the service')
      .argument('<id>', 'id of the instance, as `rollcall instances` shows it')
      .option('--for <time>', 'take it back by itself after this long, such as 10m or 2h', readSpan)
      .addHelpText('after', examples("rollcall disable orders 10.0.0.5:3000 --why 'wrong answers'"))
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const { for: durationMs } = command.opts<{ readonly for?: number }>()
    const [service = '', id = ''] = command.args
    const answer = await createApiClient(shell, options).call('putOverrides', {
      body: {
        instances: [instanceOf(service, id, options)],
        disable: true,
        ...defined({ durationMs }),
        ...readSignature(command, shell),
      },
    })
    const result = onlyResult(answer)
    const output = createOutput(shell)
    if (options.json) output.json(result)
    else output.line(`${nameOf(result)} ${standingOf(result)}`)
    return EXIT.ok
  },
}
