/** `rollcall journal restore FILE --data DIR`: a data directory out of a backup. */
import { createDisk, restoreJournal } from '@rollcall/storage'
import { contentLine } from '../../backup-lines.js'
import { examples, type CommandModule } from '../../command.js'
import { EXIT, UsageError } from '../../exit-codes.js'
import { ageText } from '../../instance-columns.js'
import { createOutput } from '../../output.js'

interface Parsed {
  readonly data?: string
  readonly json?: boolean
}

export const restore: CommandModule = {
  define(command) {
    command
      .description(
        'Make a data directory out of a backup, for a node to start from. The directory must be empty, or not exist, and no node may use it. The backup is checked whole before anything is written. Run it as the user of the node: the files belong to it.',
      )
      .argument('<backup>', 'what `rollcall journal backup` made')
      .option(
        '--data <dir>',
        'the directory that `rollcall serve --data` will be given (default: ROLLCALL_DATA)',
      )
      .option('--json', 'JSON for scripts')
      .addHelpText(
        'after',
        examples(
          'rollcall journal restore /mnt/backups/rollcall-20260102T030405.000Z.backup --data ./rollcall-data',
        ),
      )
  },

  async run(shell, command) {
    const { json, data } = command.opts<Parsed>()
    const directory = data ?? shell.env['ROLLCALL_DATA'] ?? ''
    if (directory === '') throw new UsageError('name the data directory: --data DIR, or ROLLCALL_DATA')
    const report = await restoreJournal(createDisk(), command.args[0] ?? '', directory)
    const output = createOutput(shell)
    if (json === true) {
      output.json(report)
      return EXIT.ok
    }
    const age = ageText(Math.max(0, shell.clock.wallNow() - Date.parse(report.createdAt)))
    output.line(`${directory}: ${contentLine(report.content)}`)
    output.note(
      `The backup is of ${report.createdAt}, ${age} ago. What registered since then comes back by itself. What was deregistered since then is listed again until its health checks or its lease end it, and what operators did since then (drains, bans, settings, freezes) has to be done again.`,
    )
    return EXIT.ok
  },
}
