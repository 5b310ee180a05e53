/** The sources of settings: what each holds, and what is wrong with it. */
import { parseDocument } from 'yaml'
import { SETTINGS } from './schema.js'
import type { Setting } from './schema.js'
import { readUnits, readValue } from './values.js'
import { aliasFault, yamlFault } from './yaml-words.js'

/** Where a value can come from, the strongest first. */
export type ConfigSource = 'flag' | 'environment' | 'file' | 'default'

/** What is wrong with one entry of one source. */
export interface ConfigProblem {
  /** `flags`, `environment`, or the name of the file. */
  readonly source: string
  /** The entry as it is written there; empty when the source as a whole is meant. */
  readonly key: string
  /** What is wrong, as the end of a sentence that begins with the key. */
  readonly message: string
}

/** A value that a source gives. */
export interface Given {
  readonly setting: Setting
  readonly value: unknown
  readonly source: ConfigSource
  /** Source and key as in a problem. */
  readonly where: string
  readonly key: string
}

/** What one source holds. */
export interface Reading {
  readonly given: readonly Given[]
  readonly problems: readonly ConfigProblem[]
}

const BY_FLAG = new Map(SETTINGS.map((setting) => [squeeze(setting.flag), setting]))
const BY_VARIABLE = new Map(SETTINGS.map((setting) => [setting.variable, setting]))

/** Reads flags: `node-id` or `nodeId`, with texts, numbers, booleans or, for lists, arrays of texts. */
export function readFlags(flags: Readonly<Record<string, unknown>>): Reading {
  const given: Given[] = []
  const problems: ConfigProblem[] = []
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || squeeze(name) === 'config') continue
    const setting = BY_FLAG.get(squeeze(name))
    if (setting === undefined)
      problems.push({ source: 'flags', key: `--${name}`, message: 'is not a flag of this command' })
    else
      given.push({
        setting,
        value: readValue(setting, value),
        source: 'flag',
        where: 'flags',
        key: `--${setting.flag}`,
      })
  }
  return { given, problems }
}

/** Variables of the `rollcall` command, which often share an environment with a server. */
const COMMAND_VARIABLES: ReadonlySet<string> = new Set([
  'ROLLCALL_CONFIG',
  'ROLLCALL_REGISTRY',
  'ROLLCALL_NAMESPACE',
  'ROLLCALL_GROUP',
  'ROLLCALL_TIMEOUT',
  'ROLLCALL_JSON',
])

/**
 * What Kubernetes tells every container about a Service whose name begins with `rollcall`. A registry that refuses
 * to start because it runs behind a Service of its own name would be absurd.
 */
const SERVICE_LINK =
  /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** Reads `ROLLCALL_*`. An empty variable counts as absent, because compose files cannot leave one out. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Reading {
  const given: Given[] = []
  const problems: ConfigProblem[] = []
  for (const [key, value] of Object.entries(env)) {
    if (!key.startsWith('ROLLCALL_') || value === undefined || value === '' || COMMAND_VARIABLES.has(key))
      continue
    const setting = BY_VARIABLE.get(key)
    if (setting !== undefined) {
      given.push({
        setting,
        value: readValue(setting, value),
        source: 'environment',
        where: 'environment',
        key,
      })
    } else if (!SERVICE_LINK.test(key)) {
      problems.push({ source: 'environment', key, message: 'is not a setting' })
    }
  }
  return { given, problems }
}

/** Reads a YAML (or JSON) file. A key without value counts as absent, as in a block whose lines are commented out. */
export function readYaml(file: string, text: string): Reading {
  const document = parseDocument(text)
  // What follows the first mistake is mostly its consequence.
  const [error] = document.errors
  const fail = (message: string): Reading => ({ given: [], problems: [{ source: file, key: '', message }] })
  if (error !== undefined) return fail(yamlFault(error))
  let content: unknown
  try {
    content = document.toJS()
  } catch (thrown) {
    return fail(aliasFault(thrown))
  }
  if (content === null || content === undefined) return { given: [], problems: [] }
  if (!isMap(content)) return fail('must be a map of settings')
  return readMap(file, content, [])
}

function readMap(
  file: string,
  content: Readonly<Record<string, unknown>>,
  above: readonly string[],
): Reading {
  const given: Given[] = []
  const problems: ConfigProblem[] = []
  for (const [name, value] of Object.entries(content)) {
    if (value === null) continue
    const path = [...above, name]
    const key = path.join('.')
    const setting = SETTINGS.find((candidate) => candidate.key === key)
    if (setting !== undefined) {
      given.push({ setting, value: readUnits(setting, value), source: 'file', where: file, key })
    } else if (!SETTINGS.some((candidate) => candidate.key.startsWith(`${key}.`))) {
      problems.push({ source: file, key, message: `is not a setting${suggestion(key)}` })
    } else if (isMap(value)) {
      const inner = readMap(file, value, path)
      given.push(...inner.given)
      problems.push(...inner.problems)
    } else {
      const short = SETTINGS.find((candidate) => candidate.short === key)
      if (short === undefined) problems.push({ source: file, key, message: 'must be a map of settings' })
      else given.push({ setting: short, value: readUnits(short, value), source: 'file', where: file, key })
    }
  }
  return { given, problems }
}

/** People write `node-id` and `body_bytes_max` in files as well. */
function suggestion(key: string): string {
  const meant = SETTINGS.find((candidate) => squeeze(candidate.key) === squeeze(key))
  return meant === undefined ? '' : `; did you mean ${meant.key}?`
}

function squeeze(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase()
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
