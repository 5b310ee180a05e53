/** The whole command line: all commands, which one a line names, and what becomes of its errors. */
import { Command, CommanderError } from 'commander'
import type { CommandModule } from './command.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { describeFailure, failureBody } from './failures.js'
import { withoutServer } from './missing-server.js'
import { addRegistryOptions } from './registry-options.js'
import type { Shell } from './shell.js'
import { VERSION } from './version.js'

interface Entry {
  readonly summary: string
  /** Loads one command: a run of it does not load the dependencies of the others. */
  load(): Promise<CommandModule>
}

/** All commands by what a person types, in the order of the help. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: { summary: 'run a registry node', load: async () => (await import('./commands/serve.js')).serve },
  status: {
    summary: 'show how a node does',
    load: async () => (await import('./commands/status.js')).status,
  },
  cluster: {
    summary: 'list the nodes of the cluster',
    load: async () => (await import('./commands/cluster.js')).cluster,
  },
  version: {
    summary: 'print the versions of this command and of the node',
    load: async () => (await import('./commands/version.js')).version,
  },
  namespaces: {
    summary: 'list namespaces',
    load: async () => (await import('./commands/namespaces.js')).namespaces,
  },
  services: { summary: 'list services', load: async () => (await import('./commands/services.js')).services },
  instances: {
    summary: 'list the instances of a service',
    load: async () => (await import('./commands/instances.js')).instances,
  },
  watch: {
    summary: 'follow services, change by change',
    load: async () => (await import('./commands/watch.js')).watch,
  },
  register: {
    summary: 'register an instance',
    load: async () => (await import('./commands/register.js')).register,
  },
  deregister: {
    summary: 'take instances out for good',
    load: async () => (await import('./commands/deregister.js')).deregister,
  },
  run: {
    summary: 'run a program in any language as an instance',
    load: async () => (await import('./commands/run.js')).run,
  },
  drain: {
    summary: 'take an instance out of rotation',
    load: async () => (await import('./commands/drain.js')).drain,
  },
  disable: { summary: 'ban an instance', load: async () => (await import('./commands/disable.js')).disable },
  enable: {
    summary: 'take back drain and disable',
    load: async () => (await import('./commands/enable.js')).enable,
  },
  freeze: {
    summary: 'lose no instance to silence',
    load: async () => (await import('./commands/freeze.js')).freeze,
  },
  unfreeze: { summary: 'end a freeze', load: async () => (await import('./commands/unfreeze.js')).unfreeze },
  restore: {
    summary: 'undo mistaken removals',
    load: async () => (await import('./commands/restore.js')).restore,
  },
  explain: {
    summary: 'say why an instance is listed or not',
    load: async () => (await import('./commands/explain.js')).explain,
  },
  events: {
    summary: 'what happened, by whom and why',
    load: async () => (await import('./commands/events.js')).events,
  },
  'bridge eureka': {
    summary: "show this registry and Eureka each other's instances",
    load: async () => (await import('./commands/bridge/eureka.js')).eureka,
  },
  'bridge consul': {
    summary: "show this registry and Consul each other's instances",
    load: async () => (await import('./commands/bridge/consul.js')).consul,
  },
  completion: {
    summary: 'print a completion script for a shell',
    load: async () => (await import('./commands/completion.js')).completion,
  },
  'config show': {
    summary: 'print the settings of a node with their origin',
    load: async () => (await import('./commands/config/show.js')).show,
  },
  'config check': {
    summary: 'check the settings of a node before a start',
    load: async () => (await import('./commands/config/check.js')).check,
  },
  'journal verify': {
    summary: 'check the journal of a node',
    load: async () => (await import('./commands/journal/verify.js')).verify,
  },
  'journal repair': {
    summary: 'save what can be read of a damaged journal',
    load: async () => (await import('./commands/journal/repair.js')).repair,
  },
  'journal backup': {
    summary: 'back up the journal of a node, running or not',
    load: async () => (await import('./commands/journal/backup.js')).backup,
  },
  'journal restore': {
    summary: 'make a data directory out of a backup',
    load: async () => (await import('./commands/journal/restore.js')).restore,
  },
}

const GROUPS: Readonly<Record<string, string>> = {
  bridge: 'join this registry with another one while teams move',
  config: 'look into the configuration of a node',
  journal: 'check, repair, back up and restore the journal of a node',
}

const AFTER_HELP = `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 no registry reached or timed out.
NO_COLOR turns colours off. Try: rollcall serve --memory`

/** Runs one command line (without node and script). Resolves to the exit code and never rejects. */
export async function runCommandLine(argv: readonly string[], shell: Shell): Promise<number> {
  const line = helpLast(commandFirst(argv))
  let exitCode: number = EXIT.ok
  try {
    if (argv[0] === '__complete') return await printSuggestions(argv.slice(1), shell)
    const program = await createProgram(shell, isChosenBy(line), (code) => {
      exitCode = code
    })
    await program.parseAsync(line, { from: 'user' })
    return exitCode
  } catch (error) {
    // The parser has printed it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const wantsJson = ownPart(line).includes('--json')
    shell.err.write(`${wantsJson ? JSON.stringify(failureBody(error)) : describeFailure(error)}\n`)
    return exitCodeOf(error)
  }
}

/** `rollcall __complete WORD...`, hidden: what the scripts of `rollcall completion` ask. They drop what goes wrong. */
async function printSuggestions(words: readonly string[], shell: Shell): Promise<number> {
  const line = [...commandFirst(words.slice(0, -1)), words.at(-1) ?? '']
  const { suggest } = await import('./completion/suggestions.js')
  const program = await createProgram(shell, isChosenBy(line), () => undefined)
  for (const suggestion of await suggest(program, line, shell)) shell.out.write(`${suggestion}\n`)
  return EXIT.ok
}

/** The program with every command declared, for its reference. Loads all there is; running it does nothing. */
export function createWholeProgram(shell: Shell): Promise<Command> {
  return createProgram(
    shell,
    () => true,
    () => undefined,
  )
}

async function createProgram(
  shell: Shell,
  isWanted: (name: string) => boolean,
  done: (code: number) => void,
): Promise<Command> {
  const program = new Command('rollcall')
    .description('Rollcall, a service registry: which instances can take a call, now.')
    .version(VERSION, '--version', 'print the version')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', AFTER_HELP)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.out.write(text),
      writeErr: (text) => shell.err.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'rollcall: ')),
    })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showHelpAfterError("See 'rollcall --help'.")
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const words = name.split(' ')
    const command = parentOf(program, words)
      .command(words.at(-1) ?? name)
      .summary(entry.summary)
    if (!isWanted(name)) continue
    command.showHelpAfterError(`See 'rollcall ${name} --help'.`)
    const module = await entry.load().catch(withoutServer)
    module.define(command)
    command.action(async () => done(await module.run(shell, command)))
  }
  return program
}

/** Where a command belongs; the groups appear with their first command. */
function parentOf(program: Command, [group, ...rest]: readonly string[]): Command {
  if (group === undefined || rest.length === 0) return program
  const known = program.commands.find((candidate) => candidate.name() === group)
  return known ?? program.command(group).summary(GROUPS[group] ?? '')
}

/** Tells the command that a line names, if it names one; `help NAME` names it too. */
function isChosenBy(line: readonly string[]): (name: string) => boolean {
  const words = line[0] === 'help' ? line.slice(1) : line
  const chosen = [words.slice(0, 2).join(' '), words[0] ?? ''].find((name) => Object.hasOwn(COMMANDS, name))
  return (name) => name === chosen
}

/** `help config show` and `config help show` as `config show --help`: the parser looks one word far. */
function helpLast(line: readonly string[]): readonly string[] {
  const at = line.indexOf('help')
  const [group = '', name, ...rest] = line.filter((_word, index) => index !== at)
  const asked = (at === 0 || at === 1) && Object.hasOwn(GROUPS, group) && name !== undefined
  return asked ? [group, name, '--help', ...rest] : line
}

/** Options with a value of their own that may stand in front of the command. */
const VALUED: ReadonlySet<string | undefined> = new Set(
  addRegistryOptions(new Command())
    .options.filter(({ required }) => required)
    .map(({ long }) => long),
)

/** Moves options in front of a command behind it: `rollcall --json services` is as good as `rollcall services --json`. */
export function commandFirst(argv: readonly string[]): readonly string[] {
  let at = 0
  while (argv[at]?.startsWith('-') === true && argv[at] !== '--') at += VALUED.has(argv[at]) ? 2 : 1
  const name = argv[at]
  if (
    at === 0 ||
    name === undefined ||
    name === '--' ||
    argv.slice(0, at).some((option) => ABOUT.has(option))
  )
    return argv
  const words = Object.hasOwn(GROUPS, name) ? 2 : 1
  return [...argv.slice(at, at + words), ...argv.slice(0, at), ...argv.slice(at + words)]
}

/** Options that ask about the program itself. */
const ABOUT = new Set(['--help', '-h', '--version'])

/** Without what belongs to the program that `run` starts. */
function ownPart(line: readonly string[]): readonly string[] {
  const end = line.indexOf('--')
  return end === -1 ? line : line.slice(0, end)
}
