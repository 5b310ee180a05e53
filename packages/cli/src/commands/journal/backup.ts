/** `rollcall journal backup --data DIR --to FILE`: the state of a node as one file, beside the node that runs. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { backupJournal, createDisk, type BackupDone } from '@rollcall/storage'
import { contentLine } from '../../backup-lines.js'
import { examples, type CommandModule } from '../../command.js'
import { EXIT, UsageError } from '../../exit-codes.js'
import { createOutput } from '../../output.js'
import { VERSION } from '../../version.js'

interface Parsed {
  readonly data?: string
  readonly to: string
  readonly json?: boolean
}

export const backup: CommandModule = {
  define(command) {
    command
      .description(
        'Back up the journal of a node into one file, while the node runs or not. In it is everything that was acknowledged as `disk` when the command began. The file is read back and checked before it gets its name; nothing is overwritten.',
      )
      .option('--data <dir>', 'what `rollcall serve --data` was given (default: ROLLCALL_DATA)')
      .requiredOption('--to <file>', 'the file to make, or a directory to make one in, named after the time')
      .option('--json', 'JSON for scripts')
      .addHelpText(
        'after',
        examples(
          'rollcall journal backup --data /var/lib/rollcall --to /mnt/backups',
          'rollcall journal backup --data ./rollcall-data --to before-upgrade.backup --json',
        ),
      )
  },

  async run(shell, command) {
    const { to, json, ...parsed } = command.opts<Parsed>()
    const directory = parsed.data ?? shell.env['ROLLCALL_DATA'] ?? ''
    if (directory === '') throw new UsageError('name the data directory: --data DIR, or ROLLCALL_DATA')
    const wallNow = shell.clock.wallNow()
    const file = (await isDirectory(to)) ? join(to, nameAt(wallNow)) : to
    const options = { directory, file, attempt: String(shell.pid), wallNow, software: VERSION }
    const done = await backupJournal(createDisk(), options)
    const output = createOutput(shell)
    if (json === true) output.json(done)
    else output.line(lineOf(done))
    if (done.fallback !== undefined)
      output.note(
        `The newest snapshot of the journal is bad, the files before it were used: ${done.fallback}`,
      )
    return EXIT.ok
  },
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

/** Sorts by time; no colons, which some file systems refuse. */
function nameAt(wallNow: number): string {
  return `rollcall-${new Date(wallNow).toISOString().replaceAll(/[-:]/g, '')}.backup`
}

function lineOf({ file, bytes, content, upTo }: BackupDone): string {
  return `${file}: ${contentLine(content)}; ${bytes} bytes, up to byte ${upTo.offset} of ${upTo.file}`
}
