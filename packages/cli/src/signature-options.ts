/** Options that say who gives an operator’s command, and why. */
import type { Command } from 'commander'
import { defined, type Signature } from '@rollcall/wire'
import type { Shell } from './shell.js'

interface Parsed {
  readonly by?: string
  readonly why?: string
}

/** Declares `--why --by`: overrides, freezes and restores are logged with both. */
export function addSignatureOptions(command: Command): Command {
  return command
    .option('--why <text>', 'why, for those who find it later')
    .option('--by <name>', 'who does it (default: the user of this shell)')
}

/** Completes what was parsed. */
export function readSignature(command: Command, shell: Shell): Signature {
  const { by, why } = command.opts<Parsed>()
  return defined({ by: by ?? shell.user, why })
}
