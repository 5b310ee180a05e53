/** `rollcall journal verify DIR`: whether a node would start from this directory. */
import { createDisk, verifyJournal, type FileReport } from '@rollcall/storage'
import { examples, type CommandModule } from '../../command.js'
import { EXIT } from '../../exit-codes.js'
import { createOutput } from '../../output.js'
import type { Column } from '../../table.js'
import { journalError } from '../../journal-directory.js'

const COLUMNS: readonly Column<FileReport>[] = [
  { title: 'FILE', text: ({ name }) => name },
  { title: 'ROLE', text: ({ role }) => role },
  { title: 'BYTES', align: 'right', text: ({ bytes }) => String(bytes) },
  { title: 'ENTRIES', align: 'right', text: ({ entries }) => String(entries) },
  {
    title: 'PROBLEMS',
    whole: true,
    text: ({ problems }) =>
      problems.map(({ kind, offset, why }) => `${kind} at byte ${offset}: ${why}`).join('; ') || 'none',
    style: ({ problems }) =>
      problems.some(({ kind }) => kind !== 'torn') ? 'red' : problems.length > 0 ? 'yellow' : undefined,
  },
]

export const verify: CommandModule = {
  define(command) {
    command
      .description(
        'Check every file of a journal, without changing anything. Exits with 1 when a node would refuse to start from it. A torn end is what a crash leaves; a node heals it by itself.',
      )
      .argument('<directory>', 'what `rollcall serve --data` was given')
      .option('--json', 'JSON for scripts')
      .addHelpText('after', examples('rollcall journal verify ./rollcall-data'))
  },

  async run(shell, command) {
    const directory = command.args[0] ?? ''
    const report = await verifyJournal(createDisk(), directory)
    if (report.files.length === 0) throw journalError(directory)
    const output = createOutput(shell)
    if (command.opts<{ readonly json?: boolean }>().json === true) {
      output.json(report)
    } else {
      output.table(COLUMNS, report.files)
      if (report.opens) output.line(`A node starts from it with ${report.entries} entries.`)
      else output.note(`A node does not start from it: ${report.refusal ?? 'unknown reason'}`)
    }
    return report.opens ? EXIT.ok : EXIT.failed
  },
}
