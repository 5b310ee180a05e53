/** `rollcall serve`: a node in this process. */
import { startServer, type RunningServer } from '@rollcall/server'
import { isRegistryError, type RegistryError } from '@rollcall/wire'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { describeFailure } from '../failures.js'
import { addServeFlags, readServeFlags } from '../serve-flags.js'
import type { Shell } from '../shell.js'

export const serve: CommandModule = {
  define(command) {
    addServeFlags(command)
      .description(
        'Run a registry node in the foreground. SIGTERM or Ctrl-C stops it in good order; a second one at once.',
      )
      .addHelpText(
        'after',
        '\nEvery flag is also a ROLLCALL_* variable and a line in the file: docs/operating/configuration.md',
      )
      .addHelpText(
        'after',
        examples(
          'rollcall serve --memory',
          'rollcall serve --data /var/lib/rollcall --listen 10.0.0.1:7400 --insecure-listen',
        ),
      )
  },

  async run(shell, command) {
    try {
      const server = await startServer({ flags: readServeFlags(command), env: shell.env })
      announce(shell, server)
    } catch (error) {
      if (!isTaken(error)) throw error
      shell.err.write(`${describeFailure(error)}\nChoose another address with --${flagOf(error)}.\n`)
      return EXIT.failed
    }
    // The node keeps the process alive, obeys its signals and ends it with its own code.
    return EXIT.ok
  },
}

/** On standard error: standard output is the log. Scripts that start a server read the address from this line. */
function announce({ err }: Shell, { url, config, foreign }: RunningServer): void {
  const storage = config.memory ? 'in memory only' : `data in ${config.data}`
  err.write(`rollcall listens on ${url} (${storage}); Ctrl-C stops it\n`)
  for (const [protocol, at] of Object.entries(foreign)) err.write(`${protocol} at ${at}\n`)
}

/** The flag of the setting that has the address. */
function flagOf({ field = '' }: RegistryError): string {
  return field.split('.')[0] ?? ''
}

/** The address is well-formed, but the machine refuses it: not a mistake on the command line. */
function isTaken(error: unknown): error is RegistryError {
  return isRegistryError(error) && error.field !== undefined && typeof error.details?.['address'] === 'string'
}
