/** `rollcall instances SERVICE`: the list of a service as its consumers see it. */
import { STATES, type State, type View } from '@rollcall/wire'
import { Option } from 'commander'
import { createApiClient, viewOf } from '../api-client.js'
import { offering } from '../completion/offers.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { instanceColumns, sorted } from '../instance-columns.js'
import { createOutput, type Output } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addTableOptions, readTableOptions, type TableChoice } from '../table-options.js'

interface Options {
  readonly state?: string
  readonly zone?: string
}

export const instances: CommandModule = {
  define(command) {
    addTableOptions(addRegistryOptions(command), instanceColumns([]))
      .description('List the instances of a service, in every state.')
      .argument('<service>', 'name of the service')
      .addOption(
        offering(new Option('--state <state,...>', `only these states: ${STATES.join(', ')}`), STATES),
      )
      .option('--zone <name>', 'only this zone')
      .addHelpText(
        'after',
        examples(
          'rollcall instances orders',
          'rollcall instances orders --columns id,state,for --sort -for --limit 10',
          "rollcall instances orders --state up --json | jq -r '.instances[].host'",
        ),
      )
  },

  async run(shell, command) {
    const { json, namespace, group, ...options } = readRegistryOptions(command, shell.env)
    const { state, zone } = command.opts<Options>()
    const choice = readTableOptions(command, json)
    const view = await viewOf(createApiClient(shell, options), {
      service: command.args[0] ?? '',
      namespace,
      group,
      // The node judges the words, and says which there are.
      state: state?.split(',') as State[] | undefined,
      zone,
    })
    const list = { ...view, instances: sorted(view.instances) }
    const output = createOutput(shell)
    if (json) output.json(list)
    else show(output, list, choice)
    return EXIT.ok
  },
}

function show(output: Output, view: View, choice: TableChoice): void {
  if (view.instances.length === 0) {
    output.note(`No such instances of ${view.service}.`)
    // Beside a list of instances it would only puzzle those who have just started a node.
    if (view.stale) output.note('The node does not know of all yet: those that live may be missing.')
  } else output.table(instanceColumns(view.instances), view.instances, choice)
  if (view.guard.tripped) {
    output.note(
      `The guard of this service is tripped: too many fell silent at once; kept in the list: ${view.guard.kept}.`,
    )
  }
  if (view.frozen === true) output.note('An operator froze the namespace: silence takes no instance down.')
}
