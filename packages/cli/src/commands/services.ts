/** `rollcall services`: all services, a row per group. */
import type { GroupSummary, ServiceSummary } from '@rollcall/wire'
import { allServices, createApiClient } from '../api-client.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { pairsOf } from '../instance-columns.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addTableOptions, readTableOptions } from '../table-options.js'
import type { Column } from '../table.js'

interface Row {
  readonly summary: ServiceSummary
  readonly group: GroupSummary | undefined
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAMESPACE', text: ({ summary }) => summary.namespace },
  { title: 'SERVICE', key: true, text: ({ summary }) => summary.service },
  { title: 'GROUP', text: ({ group }) => group?.group ?? '-' },
  {
    title: 'UP',
    align: 'right',
    text: ({ group }) => String(group?.up ?? 0),
    value: ({ group }) => group?.up ?? 0,
    style: ({ group }) =>
      group === undefined || group.up === 0 ? 'red' : group.up < group.total ? 'yellow' : 'green',
  },
  {
    title: 'TOTAL',
    align: 'right',
    text: ({ group }) => String(group?.total ?? 0),
    value: ({ group }) => group?.total ?? 0,
  },
  { title: 'METADATA', wide: true, text: ({ summary }) => pairsOf(summary.metadata ?? {}) },
]

export const services: CommandModule = {
  define(command) {
    addTableOptions(addRegistryOptions(command), COLUMNS)
      .description(
        'List services with their groups: how many instances are up, out of how many. Of every namespace unless one is named.',
      )
      .option('--prefix <text>', 'only services whose name starts so')
      .addHelpText(
        'after',
        examples(
          'rollcall services',
          'rollcall services --sort -total --limit 20',
          'rollcall services --namespace production --prefix pay --json',
        ),
      )
  },

  async run(shell, command) {
    const { json, namespace, group, ...options } = readRegistryOptions(command, shell.env)
    const { prefix } = command.opts<{ readonly prefix?: string }>()
    const choice = readTableOptions(command, json)
    const found = await allServices(createApiClient(shell, options), { namespace, prefix })
    const list = group === undefined ? found : found.flatMap((summary) => onlyGroup(summary, group))
    const output = createOutput(shell)
    if (json) output.json({ services: list })
    else if (list.length === 0) output.note('No services.')
    else output.table(COLUMNS, list.flatMap(rowsOf), choice)
    return EXIT.ok
  },
}

function onlyGroup(summary: ServiceSummary, name: string): ServiceSummary[] {
  const groups = summary.groups.filter(({ group }) => group === name)
  return groups.length === 0 ? [] : [{ ...summary, groups }]
}

function rowsOf(summary: ServiceSummary): Row[] {
  if (summary.groups.length === 0) return [{ summary, group: undefined }]
  return summary.groups.map((group) => ({ summary, group }))
}
