import { startServer, type RunningServer } from '@rollcall/server'
import { isRegistryError } from '@rollcall/wire'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { describeFailure } from '../failures.js'
import { readServeFlags } from '../serve-flags.js'
import type { Shell } from '../shell.js'

/** `rollcall serve`: a node in this process. */
export const serve: CommandModule = {
  define(command) {
    command
      .description(
        'Run a registry node in the foreground. SIGTERM or Ctrl-C stops it in good order; a second one at once.',
      )
      .option(
        '--listen <host:port>',
        'where API, stream and console are served (default 127.0.0.1:7400; port 0 = any free one)',
      )
      .option('--advertise <host:port>', 'address others reach it at, where that is another one')
      .option('--data <dir>', 'where the journal is kept (default ./rollcall-data)')
      .option('--memory', 'keep nothing on disk')
      .option('--admission <open|strict>', 'strict: only declared services and groups (default open)')
      .option('--cluster <name>', 'name of the registry (default rollcall)')
      .option('--node-id <name>', 'name of this node (default: a new one at each start)')
      .option(
        '--insecure-listen',
        'allow --listen beyond loopback: who reaches the port may register and deregister',
      )
      .option('--allowed-hosts <names>', 'further host names the node may be called by')
      .option('--probe-networks <networks>', 'networks that may be probed whoever registered there')
      .option('--log-level <level>', 'error, warn, info or debug (default info)')
      .option('--log-format <format>', 'json, text or auto (default: text on a terminal)')
      .option('--config <file>', 'settings as YAML (default rollcall.yaml, if there is one)')
      // The server judges every setting by its own schema, and reports all that is wrong at once.
      .allowUnknownOption()
      .allowExcessArguments()
      .addHelpText(
        'after',
        '\nEvery other setting is a flag too, and a ROLLCALL_* variable: docs/operating/configuration.md',
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
    const flags = { ...command.opts<Readonly<Record<string, unknown>>>(), ...readServeFlags(command.args) }
    try {
      const server = await startServer({ flags, env: shell.env })
      announce(shell, server)
    } catch (error) {
      if (!isTaken(error)) throw error
      shell.err.write(`${describeFailure(error)}\nChoose another address with --listen.\n`)
      return EXIT.failed
    }
    // The node keeps the process alive, obeys its signals and ends it with its own code.
    return EXIT.ok
  },
}

/** On standard error: standard output is the log. Scripts that start a server read the address from this line. */
function announce({ err }: Shell, { url, config }: RunningServer): void {
  const storage = config.memory ? 'in memory only' : `data in ${config.data}`
  err.write(`rollcall listens on ${url} (${storage}); Ctrl-C stops it\n`)
}

/** The address is well-formed and cannot be had: the machine's no, not a mistake on the command line. */
function isTaken(error: unknown): boolean {
  return isRegistryError(error) && error.field === 'listen' && typeof error.details?.['reason'] === 'string'
}
