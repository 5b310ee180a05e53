/** `rollcall namespaces`: all namespaces that are declared or have a listed service. */
import type { NamespaceSummary } from '@rollcall/wire'
import { allNamespaces, createApiClient } from '../api-client.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addTableOptions, readTableOptions } from '../table-options.js'
import type { Column } from '../table.js'

const COLUMNS: readonly Column<NamespaceSummary>[] = [
  { title: 'NAMESPACE', key: true, text: ({ namespace }) => namespace },
  {
    title: 'SERVICES',
    align: 'right',
    text: (each) => String(each.services),
    value: (each) => each.services,
  },
  {
    title: 'INSTANCES',
    align: 'right',
    text: (each) => String(each.instances),
    value: (each) => each.instances,
  },
  { title: 'FROZEN', text: ({ frozen }) => (frozen === true ? 'frozen' : ''), style: () => 'yellow' },
  { title: 'ALLOW', text: ({ allow }) => (allow === undefined ? '' : allow.join(',') || 'none') },
]

export const namespaces: CommandModule = {
  define(command) {
    addTableOptions(addRegistryOptions(command, 'cluster'), COLUMNS)
      .description(
        'List namespaces that are declared or have a listed service: how much they hold, whether they are frozen, and which addresses may register there where not all may.',
      )
      .addHelpText(
        'after',
        examples('rollcall namespaces', 'rollcall namespaces --sort -instances --limit 10'),
      )
  },

  async run(shell, command) {
    const { json, ...options } = readRegistryOptions(command, shell.env)
    const choice = readTableOptions(command, json)
    const list = await allNamespaces(createApiClient(shell, options))
    const output = createOutput(shell)
    if (json) output.json({ namespaces: list })
    else if (list.length === 0) output.note('No namespaces.')
    else output.table(COLUMNS, list, choice)
    return EXIT.ok
  },
}
