/** `rollcall restore SERVICE [ID…]`: brings back what left by mistake; without `--yes` it only shows it. */
import { defined, type RestoreReason, type RestoreResponse } from '@rollcall/wire'
import { Option } from 'commander'
import { readSpan } from '../arguments.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { addressOf, ageText } from '../instance-columns.js'
import { createApiClient } from '../api-client.js'
import { createOutput, type Output } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'
import type { Column } from '../table.js'

interface Options {
  readonly since?: number
  readonly reason?: RestoreReason
  readonly yes?: boolean
}

type Result = RestoreResponse['results'][number]

const REASONS: readonly RestoreReason[] = ['deregistered', 'expired']

/** The address is left out where every id says it. */
function columnsOf(results: readonly Result[]): readonly Column<Result>[] {
  const allNamed = results.every((result) => !result.ok || result.id === addressOf(result))
  return [
    { title: 'GROUP', text: ({ group }) => group },
    { title: 'ID', key: true, text: ({ id }) => id },
    { title: 'ADDRESS', key: true, text: (result) => (result.ok && !allNamed ? addressOf(result) : '') },
    { title: 'WAS', text: (result) => (result.ok ? result.was : '') },
    { title: 'AGO', align: 'right', text: (result) => (result.ok ? ageText(result.goneMs) : '') },
    {
      title: 'REFUSED',
      whole: true,
      text: (result) => (result.ok ? '' : result.error.message),
      style: () => 'red',
    },
  ]
}

export const restore: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description(
        'Bring back what left a service by mistake, while it is remembered (an hour): what others than the provider deregistered, and what expired. Without --yes it only shows what that would be.',
      )
      .argument('<service>', 'name of the service')
      .argument('[id...]', 'only these ids')
      .option('--since <time>', 'only what left within this long, such as 10m', readSpan)
      .addOption(new Option('--reason <reason>', 'only what left like this').choices(REASONS))
      .option('--yes', 'do it')
      .addHelpText(
        'after',
        examples('rollcall restore orders --since 10m', 'rollcall restore orders --since 10m --yes'),
      )
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const { since, reason, yes } = command.opts<Options>()
    const [service = '', ...ids] = command.args
    const { namespace, group } = options
    const response = await createApiClient(shell, options).call('restore', {
      body: {
        service,
        ...defined({ namespace, group, sinceMs: since }),
        ...(ids.length === 0 ? {} : { ids }),
        ...defined({ reasons: reason === undefined ? undefined : [reason] }),
        dryRun: yes !== true,
        ...readSignature(command, shell),
      },
    })
    const output = createOutput(shell)
    if (options.json) output.json(response)
    else show(output, response)
    return response.results.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed
  },
}

function show(output: Output, { dryRun, results }: RestoreResponse): void {
  if (results.length === 0) {
    output.note('Nothing left that could be brought back.')
    return
  }
  output.table(columnsOf(results), results)
  const count = results.filter(({ ok }) => ok).length
  const many = `${count} ${count === 1 ? 'instance' : 'instances'}`
  output.note(
    dryRun ? `Nothing was changed. Repeat with --yes to bring ${many} back.` : `Brought ${many} back.`,
  )
}
