/** `rollcall journal verify PATH`: whether a node would start from this directory, or a backup is whole. */
import { stat } from 'node:fs/promises'
import { createDisk, verifyBackup, verifyJournal, type FileReport } from '@rollcall/storage'
import { contentLine } from '../../backup-lines.js'
import { examples, type CommandModule } from '../../command.js'
import { EXIT } from '../../exit-codes.js'
import { createOutput, type Output } from '../../output.js'
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
        'Check every file of a journal, or a backup of one, without changing anything. Exits with 1 when a node would refuse to start from it. A torn end is what a crash leaves; a node heals it by itself.',
      )
      .argument('<directory>', 'what `rollcall serve --data` was given, or a backup file')
      .option('--json', 'JSON for scripts')
      .addHelpText(
        'after',
        examples('rollcall journal verify ./rollcall-data', 'rollcall journal verify before-upgrade.backup'),
      )
  },

  async run(shell, command) {
    const path = command.args[0] ?? ''
    const output = createOutput(shell)
    const { json = false } = command.opts<{ readonly json?: boolean }>()
    return (await isFile(path)) ? verifyFile(output, path, json) : verifyDirectory(output, path, json)
  },
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** What is wrong with it is thrown, by name and byte. */
async function verifyFile(output: Output, path: string, json: boolean): Promise<number> {
  const report = await verifyBackup(createDisk(), path)
  if (json) output.json(report)
  else output.line(`A whole backup of ${report.createdAt}: ${contentLine(report.content)}.`)
  return EXIT.ok
}

async function verifyDirectory(output: Output, directory: string, json: boolean): Promise<number> {
  const report = await verifyJournal(createDisk(), directory)
  if (report.files.length === 0) throw journalError(directory)
  if (json) {
    output.json(report)
  } else {
    output.table(COLUMNS, report.files)
    if (report.opens) output.line(`A node starts from it with ${report.entries} entries.`)
    else output.note(`A node does not start from it: ${report.refusal ?? 'unknown reason'}`)
  }
  return report.opens ? EXIT.ok : EXIT.failed
}
