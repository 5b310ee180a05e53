/** What may stand at the cursor of a command line, by the declarations of the commands and by what a registry has. */
import { DEFAULTS } from '@rollcall/wire'
import type { Argument, Command, Option } from 'commander'
import { allServices, createApiClient, viewOf } from '../api-client.js'
import { readRegistries } from '../arguments.js'
import { offersOf } from './offers.js'
import { readRegistryOptions } from '../registry-options.js'
import type { Shell } from '../shell.js'

/** A person waits with a finger on Tab: a registry that does not answer within this offers nothing. */
const ASK_MS = 500

/** What fills a place: these words, what the registry has, or what the shell itself knows. */
type Source =
  | readonly string[]
  | 'services'
  | 'groups'
  | 'ids'
  | 'namespaces'
  | '@directories'
  | '@files'
  | '@programs'

/** A command line up to the word at the cursor, read by the declarations. */
interface LineRead {
  readonly command: Command
  /** The option whose value the next word is. */
  readonly option: Option | undefined
  /** Values of the options before it, by their long flag. */
  readonly given: ReadonlyMap<string, string>
  readonly args: readonly string[]
  /** Past `--` no word is an option. */
  readonly optionsEnded: boolean
}

/**
 * Lines for the scripts of the shells: a word, or a word, a tab and what it means. `@files`, `@directories` and
 * `@programs` leave the place to the shell. The last of `words` is the one at the cursor, possibly empty. Rejects where a
 * registry has to be asked and does not answer.
 */
export async function suggest(program: Command, words: readonly string[], shell: Shell): Promise<string[]> {
  const current = words.at(-1) ?? ''
  const line = readLine(program, words.slice(0, -1))
  if (line === undefined) return []
  const { command, option, optionsEnded } = line
  const beginsOption = current.startsWith('-') && !optionsEnded
  if (option !== undefined && !(option.optional && beginsOption))
    return fill(sourceOfOption(option), '', current, line, shell)
  if (beginsOption) {
    const end = current.indexOf('=') + 1
    if (end === 0) return optionsOf(command).filter((word) => word.startsWith(current))
    const assigned = optionNamed(command, current.slice(0, end - 1))
    if (assigned === undefined) return []
    return fill(sourceOfOption(assigned), current.slice(0, end), current.slice(end), line, shell)
  }
  if (command.commands.length > 0) return commandsOf(command).filter((word) => word.startsWith(current))
  return fill(sourceOfArgument(line), '', current, line, shell)
}

/** Undefined where the words name no command. What belongs to options is kept by them, as when the command runs. */
function readLine(program: Command, words: readonly string[]): LineRead | undefined {
  let command = program
  let option: Option | undefined
  let optionsEnded = false
  const given = new Map<string, string>()
  const args: string[] = []
  for (const word of words) {
    const isOption = word.startsWith('-') && !optionsEnded
    if (option !== undefined && !(option.optional && isOption)) {
      given.set(option.long ?? '', word)
      option = undefined
      continue
    }
    option = undefined
    if (word === '--' && !optionsEnded) optionsEnded = true
    else if (isOption) {
      const [flag = '', value] = word.split(/=(.*)/s)
      const named = optionNamed(command, flag)
      if (named === undefined || !(named.required || named.optional)) continue
      if (value === undefined) option = named
      else given.set(named.long ?? '', value)
    } else if (command.commands.length === 0) args.push(word)
    else if (word !== 'help') {
      const next = command.commands.find((candidate) => candidate.name() === word)
      if (next === undefined) return undefined
      command = next
    }
  }
  return { command, option, given, args, optionsEnded }
}

function optionNamed(command: Command, flag: string): Option | undefined {
  return command.options.find(({ short, long }) => flag === short || flag === long)
}

function optionsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ short, long, description }) => `${long ?? short}\t${description}`)
}

function commandsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => `${each.name()}\t${each.summary() || each.description()}`)
}

/** By what stands for the value in the help. */
const BY_VALUE: Readonly<Record<string, Source>> = {
  dir: '@directories',
  file: '@files',
}

const BY_OPTION: Readonly<Record<string, Source>> = {
  '--service': 'services',
  '--namespace': 'namespaces',
  '--group': 'groups',
}

function sourceOfOption(option: Option): Source {
  const { long, flags } = option
  const offers = offersOf(option)
  if (offers !== undefined) return offers
  const value = /[<[](.*)[>\]]$/.exec(flags)?.[1] ?? ''
  if (/^[a-z]+(\|[a-z]+)+$/.test(value)) return value.split('|')
  return BY_OPTION[long ?? ''] ?? BY_VALUE[value] ?? []
}

const BY_ARGUMENT: Readonly<Record<string, Source>> = {
  service: 'services',
  id: 'ids',
  directory: '@directories',
  backup: '@files',
  command: '@programs',
}

/** The last argument may repeat; of a program to run, the repetitions are its own arguments. */
function sourceOfArgument({ command, args }: LineRead): Source {
  const last = command.registeredArguments.at(-1)
  const place: Argument | undefined =
    command.registeredArguments[args.length] ?? (last?.variadic === true ? last : undefined)
  if (place === undefined) return []
  const source = place.argChoices ?? BY_ARGUMENT[place.name()] ?? []
  return source === '@programs' && args.length > 0 ? '@files' : source
}

/** What a source has that goes on from `current`; `before` is put in front of each word. */
async function fill(
  source: Source,
  before: string,
  current: string,
  line: LineRead,
  shell: Shell,
): Promise<string[]> {
  if (typeof source === 'string' && source.startsWith('@')) return [source]
  // Of a list with commas the last one is at the cursor.
  const kept = current.slice(0, current.lastIndexOf(',') + 1)
  const words = typeof source === 'string' ? await ask(source, current, line, shell) : source
  return words
    .map((word) => kept + word)
    .filter((word) => word.startsWith(current))
    .map((word) => before + word)
}

async function ask(source: string, current: string, line: LineRead, shell: Shell): Promise<string[]> {
  const { command, given, args } = line
  const named = given.get('--registry')
  const registries =
    named === undefined ? readRegistryOptions(command, shell.env).registries : readRegistries(named)
  const api = createApiClient(shell, { registries, timeoutMs: ASK_MS })
  const namespace = given.get('--namespace') ?? DEFAULTS.namespace
  const service = given.get('--service') ?? args[0]
  switch (source) {
    case 'ids': {
      const view = await viewOf(api, { service: service ?? '', namespace, group: given.get('--group') })
      return distinct(view.instances.map(({ id }) => id))
    }
    case 'groups': {
      const summaries = await allServices(api, { namespace, prefix: service })
      return distinct(summaries.flatMap(({ groups }) => groups.map(({ group }) => group)))
    }
    case 'namespaces':
      return distinct((await allServices(api, {})).map((summary) => summary.namespace))
    default:
      return distinct(
        (await allServices(api, { namespace, prefix: current || undefined })).map(
          ({ service: name }) => name,
        ),
      )
  }
}

/** What another server than a registry answers must not reach the shell: only characters that names have. */
function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => /^[A-Za-z0-9._:[\]-]+$/.test(name)).toSorted()
}
