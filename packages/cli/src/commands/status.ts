/** `rollcall status`: how a node does, on one screen. */
import type { NodeStatus } from '@rollcall/wire'
import { createApiClient } from '../api-client.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { STATUS_COLUMNS, statusRows } from '../status-rows.js'

export const status: CommandModule = {
  define(command) {
    addRegistryOptions(command, 'cluster')
      .description(
        'Show how the node that answers does: version, address and age, how it fares in its cluster, what is listed and connected, guards, freezes and overrides in force, journal and memory. Exits with 1 when it is not ready.',
      )
      .addHelpText(
        'after',
        examples(
          'rollcall status',
          'rollcall status --registry http://10.0.0.2:7400',
          "rollcall status --json | jq -r '.journal.durability'",
        ),
      )
  },

  async run(shell, command) {
    const { json, ...options } = readRegistryOptions(command, shell.env)
    const answer: NodeStatus = await createApiClient(shell, options).call('status', {})
    const output = createOutput(shell)
    if (json) output.json(answer)
    else output.table(STATUS_COLUMNS, statusRows(answer))
    return answer.readiness.ready ? EXIT.ok : EXIT.failed
  },
}
