/** What completion knows of the program, read off its declarations. */
import { EVENT_KINDS, STATES } from '@rollcall/wire'
import type { Argument, Command, Option } from 'commander'

/** What may stand at one place: some words, what a registry or the machine has, or anything at all. */
export type Candidates =
  | readonly string[]
  | 'anything'
  | 'services'
  | 'ids'
  | 'namespaces'
  | 'directories'
  | 'files'
  | 'programs'

/** One option of a command. */
export interface OptionOutline {
  /** Such as `-h` and `--help`. */
  readonly flags: readonly string[]
  readonly description: string
  /** undefined where the option takes no value. */
  readonly value: Candidates | undefined
  readonly valueOptional: boolean
}

/** One command. */
export interface CommandOutline {
  /** What a person types: `services`, or `journal verify`. */
  readonly words: readonly string[]
  readonly summary: string
  readonly options: readonly OptionOutline[]
  /** Its arguments in order; the last one goes on where `repeats` says so. */
  readonly arguments: readonly Candidates[]
  readonly repeats: boolean
}

/** The program: `groups` are words that only precede commands. */
export interface Outline {
  readonly commands: readonly CommandOutline[]
  readonly groups: readonly { readonly name: string; readonly summary: string }[]
}

/** Describes a program whose commands are all defined. */
export function outlineOf(program: Command): Outline {
  const groups = program.commands.filter(({ commands }) => commands.length > 0)
  const commands = program.commands.flatMap((command) =>
    command.commands.length > 0
      ? command.commands.map((inner) => describe(inner, [command.name(), inner.name()]))
      : [describe(command, [command.name()])],
  )
  const help: CommandOutline = {
    words: ['help'],
    summary: 'explain a command',
    options: [],
    arguments: [program.commands.map((command) => command.name())],
    repeats: false,
  }
  return {
    commands: [...commands, help],
    groups: groups.map((group) => ({ name: group.name(), summary: group.summary() })),
  }
}

const HELP: OptionOutline = {
  flags: ['-h', '--help'],
  description: 'explain the command',
  value: undefined,
  valueOptional: false,
}

function describe(command: Command, words: readonly string[]): CommandOutline {
  return {
    words,
    summary: command.summary(),
    options: [...command.options.map(describeOption), HELP],
    arguments: command.registeredArguments.map(candidatesOfArgument),
    repeats: command.registeredArguments.at(-1)?.variadic === true,
  }
}

function describeOption(option: Option): OptionOutline {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined && flag !== null)
  const takesValue = option.required || option.optional
  return {
    flags,
    description: option.description,
    value: takesValue ? candidatesOfOption(option) : undefined,
    valueOptional: option.optional,
  }
}

/** By the name that stands for the value in the help. */
const BY_VALUE: Readonly<Record<string, Candidates>> = {
  dir: 'directories',
  file: 'files',
  'state,...': STATES,
  'kind,...': EVENT_KINDS,
}

/** By the option. */
const BY_OPTION: Readonly<Record<string, Candidates>> = {
  '--service': 'services',
  '--namespace': 'namespaces',
}

function candidatesOfOption({ long, flags, argChoices }: Option): Candidates {
  if (argChoices !== undefined) return argChoices
  const value = /[<[](.*)[>\]]$/.exec(flags)?.[1] ?? ''
  if (/^[a-z]+(\|[a-z]+)+$/.test(value)) return value.split('|')
  return BY_OPTION[long ?? ''] ?? BY_VALUE[value] ?? 'anything'
}

const BY_ARGUMENT: Readonly<Record<string, Candidates>> = {
  service: 'services',
  id: 'ids',
  directory: 'directories',
  command: 'programs',
}

function candidatesOfArgument(argument: Argument): Candidates {
  return argument.argChoices ?? BY_ARGUMENT[argument.name()] ?? 'anything'
}
