/** Flags of `serve` and `config show`, made from the settings of a node. */
import { SETTINGS, type Setting, writeValue } from '@rollcall/server'
import { Option, type Command } from 'commander'

/** What stands for the value of a flag in the help. */
const PLACEHOLDERS: Readonly<Record<Setting['kind'], string>> = {
  text: '<value>',
  integer: '<number>',
  duration: '<time>',
  size: '<size>',
  switch: '[true|false]',
  list: '<list>',
  json: '<json>',
}

/** Where a word says more than the kind. */
const NAMED: Readonly<Record<string, string>> = {
  listen: '<host:port>',
  advertise: '<host:port>',
  data: '<dir>',
  cluster: '<name>',
  nodeId: '<name>',
  'dns.listen': '[host:port]',
  'dns.domain': '<domain>',
  eureka: '[host:port]',
  consul: '[host:port]',
  'etcd.endpoints': '<url,…>',
  'etcd.prefix': '<path>',
  'etcd.ca': '<file>',
  'etcd.cert': '<file>',
  'etcd.key': '<file>',
  'etcd.user': '<name>',
  'etcd.passwordFile': '<file>',
}

/**
 * Declares a flag for every setting of a node, and `--config`. Values are not looked at here: the server judges flags,
 * variables and file together and reports all that is wrong at once.
 */
export function addServeFlags(command: Command): Command {
  for (const setting of SETTINGS) command.addOption(flagOf(setting))
  return command.option('--config <file>', 'settings as YAML (default rollcall.yaml, if there is one)')
}

/** The given flags, by name. */
export function readServeFlags(command: Command): Readonly<Record<string, unknown>> {
  return command.opts<Readonly<Record<string, unknown>>>()
}

function flagOf(setting: Setting): Option {
  const { key, flag, kind, path, choices } = setting
  const placeholder = choices === undefined ? (NAMED[key] ?? PLACEHOLDERS[kind]) : `<${choices.join('|')}>`
  const option = new Option(`--${flag} ${placeholder}`, descriptionOf(setting))
  if (kind === 'list')
    option.argParser((text, before: readonly string[] | undefined) => [...(before ?? []), text])
  const [group = '', rest] = path
  return rest === undefined ? option : option.helpGroup(`${group[0]?.toUpperCase()}${group.slice(1)}:`)
}

/** The first sentence of the reason; the reference has the others. What says a word on each choice stays whole. */
function descriptionOf({ kind, reason, choices, defaultValue }: Setting): string {
  const said =
    choices === undefined
      ? (/^.*?[^.](?=\. [A-Z0-9]|\.$)/.exec(reason)?.[0] ?? reason)
      : reason.replace(/\.$/, '')
  const text = `${said[0]?.toLowerCase()}${said.slice(1)}`
  const plain = typeof defaultValue === 'string' || typeof defaultValue === 'number'
  return plain ? `${text} (default ${writeValue({ kind }, defaultValue)})` : text
}
