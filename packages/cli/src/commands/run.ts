/** `rollcall run -- PROGRAM`: a program without an SDK, registered while its port accepts connections. */
import { defined } from '@rollcall/wire'
import { readDelay } from '../arguments.js'
import { examples, type CommandModule } from '../command.js'
import { UsageError } from '../exit-codes.js'
import { createOutput } from '../output.js'
import { lookAtPort, startProgram } from '../program-process.js'
import { addInstanceOptions, readInstanceOptions } from '../instance-options.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { connectFor } from '../sdk.js'
import { supervise } from '../supervisor.js'

/** A program that binds any address is reached through one of these. */
const OWN_HOSTS = ['127.0.0.1', '::1'] as const

/** The program is gone when this counts: its users have turned away before, or cannot be helped by waiting. */
const CLOSE_TIMES = { settleMs: 0, closeMs: 2_000 } as const

const DRAIN_MS = 1_000

interface Options {
  readonly wait: boolean
  readonly watch: boolean
  readonly signalGroup?: boolean
  readonly drain?: number
}

export const run: CommandModule = {
  define(command) {
    addRegistryOptions(addInstanceOptions(command))
      .description(
        'Run a program and keep it registered while its port accepts connections: while it refuses them, the instance is `starting` and gets no calls. On SIGTERM consumers are asked to turn away first, then the program gets the signal. Ends with its exit code, or 128 plus the number of the signal that killed it. Without a registry the program runs all the same.',
      )
      .usage('[options] -- COMMAND [ARGUMENTS...]')
      .argument('<command...>', 'the program and its arguments')
      .option('--no-wait', 'register at once, not only when the port accepts connections')
      .option(
        '--drain <time>',
        'how long consumers have to turn away before the program gets SIGTERM (default 1s; 0 = none)',
        readDelay,
      )
      .option('--no-watch', 'do not look at the port, every 2s, once it is registered')
      .option(
        '--signal-group',
        'signals go to all processes that the program starts, for those that pass on none, such as sh and npm',
      )
      .passThroughOptions()
      .addHelpText(
        'after',
        examples(
          'rollcall run --service orders --port 3000 -- python3 -m http.server 3000',
          'rollcall run --service orders --port 3000 --metadata version=1.4.2 -- ./orders --listen :3000',
          'rollcall run --service orders --port 3000 --signal-group -- npm start',
        ),
      )
  },

  run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const provider = readInstanceOptions(command)
    const { wait, watch, signalGroup = false, drain } = command.opts<Options>()
    const [program, ...args] = command.args
    if (program === undefined) throw new UsageError('name the program to run after --')
    const output = createOutput(shell)
    const hosts = provider.host === undefined ? OWN_HOSTS : [provider.host]
    return supervise(
      {
        clock: shell.clock,
        onSignal: (signals, listener) => shell.onSignal(signals, listener),
        start: () => startProgram(program, args, signalGroup),
        look: () => lookAtPort(hosts, provider.port),
        connect: () => connectFor(options, (text) => output.note(text), CLOSE_TIMES),
        note: (text) => output.note(text),
        // A group of its own has no terminal.
        sharesTerminal: !signalGroup && (shell.out.isTerminal || shell.err.isTerminal),
        isInit: shell.pid === 1,
      },
      {
        registration: { ...provider, ...defined({ group: options.group }) },
        wait,
        watch,
        drainMs: drain ?? DRAIN_MS,
      },
    )
  },
}
