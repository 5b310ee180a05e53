/** `rollcall cluster`: the nodes of a cluster, and the engine that joins them. */
import type { ClusterResponse } from '@rollcall/wire'
import { createApiClient } from '../api-client.js'
import { clusterRows, nodeColumns } from '../cluster-table.js'
import { examples, type CommandModule } from '../command.js'
import { createOutput } from '../output.js'
import { EXIT } from '../exit-codes.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { STATUS_COLUMNS } from '../status-rows.js'
import { addTableOptions, readTableOptions } from '../table-options.js'

export const cluster: CommandModule = {
  define(command) {
    addTableOptions(addRegistryOptions(command, 'cluster'), nodeColumns([]))
      .description(
        'List the nodes of the cluster as the node that answers knows them, itself first: state, instances that each judges, sessions of clients, changes that are not in the engine yet; then the engine that joins them. What a node lost is said in words. Exits with 0 whatever the cluster is like, as long as a node answers.',
      )
      .addHelpText(
        'after',
        examples(
          'rollcall cluster',
          'rollcall cluster --wide',
          'rollcall cluster --json | jq -r \'.nodes[] | select(.state != "ready").address\'',
        ),
      )
  },

  async run(shell, command) {
    const { json, ...options } = readRegistryOptions(command, shell.env)
    const choice = readTableOptions(command, json)
    const answer: ClusterResponse = await createApiClient(shell, options).call('cluster', {})
    const output = createOutput(shell)
    if (json) {
      output.json(answer)
      return EXIT.ok
    }
    output.table(nodeColumns(answer.nodes), answer.nodes, choice)
    output.line('')
    output.table(STATUS_COLUMNS, clusterRows(answer))
    return EXIT.ok
  },
}
