/** `rollcall journal repair DIR`: makes a damaged journal open again, and says what is lost. */
import { createDisk, repairJournal, verifyJournal, type RepairReport } from '@rollcall/storage'
import { examples, type CommandModule } from '../../command.js'
import { EXIT } from '../../exit-codes.js'
import { journalError } from '../../journal-directory.js'
import { createOutput, type Output } from '../../output.js'
import type { Column } from '../../table.js'

const COLUMNS: readonly Column<RepairReport['dropped'][number]>[] = [
  { title: 'LOST FROM', text: ({ file }) => file },
  { title: 'AT BYTE', align: 'right', text: ({ offset }) => String(offset) },
  { title: 'BYTES', align: 'right', text: ({ bytes }) => String(bytes) },
  { title: 'WHY', whole: true, text: ({ why }) => why },
]

export const repair: CommandModule = {
  define(command) {
    command
      .description(
        'Save what can be read of a damaged journal, while no node uses it. Deletes nothing: the old files are kept under other names. What is lost may include deregistrations; leases and probes then end such instances.',
      )
      .argument('<directory>', 'what `rollcall serve --data` was given')
      .option('--dry-run', 'only say what would be done')
      .option('--json', 'JSON for scripts')
      .addHelpText(
        'after',
        examples(
          'rollcall journal repair --dry-run ./rollcall-data',
          'rollcall journal repair ./rollcall-data',
        ),
      )
  },

  async run(shell, command) {
    const { dryRun = false, json } = command.opts<{ readonly dryRun?: boolean; readonly json?: boolean }>()
    const directory = command.args[0] ?? ''
    const disk = createDisk()
    // A repair locks the directory and would create one whose name was mistyped.
    if ((await verifyJournal(disk, directory)).files.length === 0) throw journalError(directory)
    const report = await repairJournal(disk, directory, { dryRun })
    const output = createOutput(shell)
    if (json === true) output.json(report)
    else show(output, report)
    return EXIT.ok
  },
}

function show(output: Output, report: RepairReport): void {
  if (!report.needed)
    return output.line(`Nothing to repair: a node starts from it with ${report.keptEntries} entries.`)
  if (report.dropped.length > 0) output.table(COLUMNS, report.dropped)
  const [saves, keeps] = report.dryRun ? ['would be saved', 'would be kept as'] : ['saved', 'kept as']
  output.line(`${report.keptEntries} entries ${saves} in ${report.written.join(' and ')}`)
  for (const { from, to } of report.backups) output.line(`${from} ${keeps} ${to}`)
}
