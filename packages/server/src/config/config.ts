/** The configuration of a node, read from flags, environment, file and defaults. */
import { readFileSync } from 'node:fs'
import { formatDuration, RegistryError } from '@rollcall/wire'
import { isLoopbackHost, parseHostPort } from './address.js'
import { judgeDns } from './dns.js'
import { FOREIGN_PROTOCOLS } from './foreign.js'
import { judgeEtcd } from './etcd.js'
import { SETTINGS, completeSettings, configOf } from './schema.js'
import { readEnvironment, readFlags, readYaml } from './sources.js'
import type { Setting, Settings } from './schema.js'
import type { ConfigProblem, ConfigSource, Given, Reading } from './sources.js'
import type { Config } from './types.js'

export type { Config } from './types.js'
export type { ConfigProblem, ConfigSource } from './sources.js'
export { parseHostPort } from './address.js'

/** The file that is read when none is named, if it exists. */
export const CONFIG_FILE = 'rollcall.yaml'

export interface ConfigSources {
  /** Flags by name, `config` among them; absent ones may be undefined. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The content of a file, undefined when it does not exist. Default: the file system. */
  readonly readFile?: (path: string) => string | undefined
}

/** Where the value of a setting came from. */
export interface ConfigOrigin {
  readonly source: ConfigSource
  /** Such as `--listen`, `ROLLCALL_LISTEN` or the name of the file; empty for defaults. */
  readonly name: string
}

/** The value of a setting, and its origin. */
export interface SettingValue {
  /** Such as `limits.bodyBytesMax`, as in the file. */
  readonly key: string
  /** undefined where the setting is absent. */
  readonly value: unknown
  readonly origin: ConfigOrigin
}

export interface LoadedConfig {
  readonly config: Config
  /** Every setting, in the order of the reference. */
  readonly settings: readonly SettingValue[]
}

/** Everything that is wrong with a configuration, at once. Its code is `invalid_argument`. */
export class ConfigError extends RegistryError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ source, key, message }) => `  ${source}: ${key === '' ? '' : `${key} `}${message}`,
    )
    super('invalid_argument', `the configuration has ${count(problems.length)}:\n${lines.join('\n')}`, {
      details: { problems },
    })
    this.problems = problems
  }
}

/**
 * Reads the settings: flags over environment over file over defaults. What is wrong anywhere, also in a source
 * that would be overruled, is reported at once in one ConfigError.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  // The weakest first, so that the stronger overwrite.
  const readings = [readConfigFile(sources), readEnvironment(sources.env), readFlags(sources.flags)]
  const problems = readings.flatMap((reading) => reading.problems)
  const chosen = new Map<string, Given>()
  for (const given of readings.flatMap((reading) => reading.given)) {
    const faults = judge(given)
    problems.push(...faults)
    if (faults.length === 0) chosen.set(given.setting.key, given)
  }
  preferStorage(chosen, problems)
  const settings = completeSettings(nest(chosen))
  problems.push(...judgeTogether(settings, chosen))
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    config: configOf(settings),
    settings: SETTINGS.map((setting) => settingValue(setting, settings, chosen)),
  }
}

function judge(given: Given): ConfigProblem[] {
  return given.setting.judge(given.value).map(({ path, message }) => ({
    source: given.where,
    key: path === '' ? given.key : `${given.key}.${path}`,
    message,
  }))
}

function readConfigFile({ flags, env, readFile = readFileIfPresent }: ConfigSources): Reading {
  const named = flags['config'] ?? (env['ROLLCALL_CONFIG'] || undefined)
  const path = named ?? CONFIG_FILE
  if (typeof path !== 'string' || path === '') {
    return {
      given: [],
      problems: [{ source: 'flags', key: '--config', message: 'must be the name of a file' }],
    }
  }
  const fail = (message: string): Reading => ({ given: [], problems: [{ source: path, key: '', message }] })
  let text: string | undefined
  try {
    text = readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return fail('is a directory, not a file')
    return fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (text !== undefined) return readYaml(path, text)
  return named === undefined ? { given: [], problems: [] } : fail('does not exist')
}

function readFileIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const STRENGTH: readonly ConfigSource[] = ['default', 'file', 'environment', 'flag']

/** `--data` on the command line overrules `memory: true` in the file, and the other way round. */
function preferStorage(chosen: Map<string, Given>, problems: ConfigProblem[]): void {
  const data = chosen.get('data')
  const memory = chosen.get('memory')
  if (data === undefined || memory?.value !== true) return
  if (data.source === memory.source) {
    problems.push({ source: data.where, key: data.key, message: `contradicts ${memory.key}: choose one` })
  } else if (STRENGTH.indexOf(data.source) > STRENGTH.indexOf(memory.source)) {
    chosen.delete('memory')
  }
}

/** Checks that concern several settings. Each problem is reported at the source of the value that causes it. */
function judgeTogether(settings: Settings, chosen: ReadonlyMap<string, Given>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const report = (key: string, message: string): void => {
    const given = chosen.get(key)
    problems.push({ source: given?.where ?? 'defaults', key: given?.key ?? key, message })
  }
  for (const key of ['listen', ...FOREIGN_PROTOCOLS] as const) {
    const address = parseHostPort(settings[key] ?? '')
    if (address === undefined || isLoopbackHost(address.host) || settings.insecureListen) continue
    report(
      key,
      'is reachable from other machines, and callers are not authenticated yet; where the network is trusted, say so with --insecure-listen',
    )
  }
  const { leaseMsMin, leaseMsMax } = settings.limits
  if (leaseMsMin > leaseMsMax) {
    const key = chosen.has('limits.leaseMsMin') ? 'limits.leaseMsMin' : 'limits.leaseMsMax'
    const [shortest, longest] = [formatDuration(leaseMsMin), formatDuration(leaseMsMax)]
    report(key, `leaves no lease to ask for: the shortest is ${shortest}, the longest ${longest}`)
  }
  judgeEtcd(settings.etcd, settings, (key) => chosen.has(key), report)
  judgeDns(settings.dns, settings, (key) => chosen.has(key), report)
  return problems
}

function nest(chosen: ReadonlyMap<string, Given>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const { setting, value } of chosen.values()) {
    let at = root
    for (const name of setting.path.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
    at[setting.path.at(-1) ?? ''] = value
  }
  return root
}

function settingValue(
  { key, path }: Setting,
  settings: Settings,
  chosen: ReadonlyMap<string, Given>,
): SettingValue {
  const value = path.reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>>)[name], settings)
  const given = chosen.get(key)
  if (given === undefined) return { key, value, origin: { source: 'default', name: '' } }
  const name = given.source === 'file' ? given.where : given.key
  return { key, value, origin: { source: given.source, name } }
}

function count(problems: number): string {
  return problems === 1 ? 'one problem' : `${problems} problems`
}
