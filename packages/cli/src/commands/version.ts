/** `rollcall version`: of this command, and of the node that answers. */
import { isRegistryError, RegistryError } from '@rollcall/wire'
import { createApiClient } from '../api-client.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT, exitCodeOf } from '../exit-codes.js'
import { describeFailure, failureBody } from '../failures.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { VERSION } from '../version.js'

export const version: CommandModule = {
  define(command) {
    addRegistryOptions(command, 'cluster')
      .description(
        'Print the version of this command and that of the node that answers. Where none does, its own and one line on why, with exit code 3. `rollcall --version` asks no node.',
      )
      .addHelpText('after', examples('rollcall version', 'rollcall version --json'))
  },

  async run(shell, command) {
    const { json, ...options } = readRegistryOptions(command, shell.env)
    const output = createOutput(shell)
    if (!json) output.line(`rollcall ${VERSION}`)
    try {
      const {
        version: ofNode,
        node,
        cluster,
        address,
      } = await createApiClient(shell, options).call('status', {})
      if (json) output.json({ cli: VERSION, node: { version: ofNode, node, cluster, address } })
      else output.line(`node     ${ofNode} (${node} at ${address}, cluster ${cluster})`)
      return EXIT.ok
    } catch (error) {
      if (!isRegistryError(error)) throw error
      const told = error.code === 'unknown_path' ? unknown(error) : error
      if (json) output.json({ cli: VERSION, node: null, ...failureBody(told) })
      else output.note(describeFailure(told).split('\n')[0] ?? '')
      return exitCodeOf(told)
    }
  },
}

function unknown(cause: RegistryError): RegistryError {
  return new RegistryError(
    'unknown_path',
    'the node does not tell its version: it is older than this command',
    {
      cause,
    },
  )
}
