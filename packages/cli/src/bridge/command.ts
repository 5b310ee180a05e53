/** What the commands of all bridges share: their options, and their run. */
import { DEFAULTS } from '@rollcall/wire'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { createApiClient } from '../api-client.js'
import { readDuration, readListen } from '../arguments.js'
import { EXIT, UsageError } from '../exit-codes.js'
import { withTls } from '../https-fetch.js'
import { createOutput } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import type { Shell } from '../shell.js'
import { runBridge } from './bridge.js'
import type { ForeignDeps } from './foreign-http.js'
import { BRIDGE_PATTERN } from './mark.js'
import { createFigures } from './figures.js'
import { type FiguresAddress, serveFigures } from './figures-server.js'
import { createReport, toAll } from './report.js'
import { createRollcallSide } from './rollcall.js'
import type { Side } from './side.js'

interface Parsed {
  readonly service?: readonly string[]
  readonly only?: 'in' | 'out'
  readonly name?: string
  readonly every?: number
  readonly hold?: number
  readonly keep?: boolean
  readonly metrics?: FiguresAddress
}

/** Half of the shortest time between renewals: a lease has several rounds. */
const EVERY_MS_MAX = 10_000
const HOLD_MS = 300_000
/** What fits into the memory of one process, and into a round. */
const INSTANCES_MAX = 20_000

/** Declares the options of a bridge; the URLs are its argument. */
export function addBridgeOptions(command: Command): Command {
  return addRegistryOptions(command)
    .argument('<url,...>', 'servers of the other registry, tried in order; may have a user and a password')
    .option('--service <name,...>', 'only these services', readServices)
    .addOption(
      new Option('--only <way>', 'only into this registry, or only out of it').choices(['in', 'out']),
    )
    .option(
      '--name <name>',
      'name of the bridge, which has to stay the same (default: by the first URL)',
      readName,
    )
    .option('--every <time>', 'between two looks, at most 10s (default 10s)', readEvery)
    .option('--hold <time>', 'how long a list is doubted that suddenly lacks half (default 5m)', readDuration)
    .option('--keep', 'at the end, leave what is mirrored to its leases: for a restart')
    .option(
      '--metrics <host:port>',
      'serve figures for Prometheus at /metrics there, such as 127.0.0.1:7490',
      readListen,
    )
}

/** Adds the names of one `--service NAME[,NAME]`; the option may be repeated. */
function readServices(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(',').filter((name) => name !== '')]
}

function readName(text: string): string {
  if (!BRIDGE_PATTERN.test(text))
    throw new InvalidArgumentError('Write a name of up to 100 of A-Z a-z 0-9 . _ : -.')
  return text
}

function readEvery(text: string): number {
  const ms = readDuration(text)
  if (ms > EVERY_MS_MAX)
    throw new InvalidArgumentError('Write a time of at most 10s: leases have to be renewed.')
  return ms
}

/** URLs of the other registry; credentials stay in them. */
export function readUrls(text: string | undefined, example: string): readonly string[] {
  const urls = (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  for (const url of urls) {
    const { protocol, hostname, search, hash, username, password } = parse(url, example)
    const isHttp = protocol === 'http:' || protocol === 'https:'
    if (!isDecodable(username + password))
      throw new UsageError('write % in a user or a password as %25, and other special characters alike')
    if (!isHttp || hostname === '' || search !== '' || hash !== '')
      throw new UsageError(`not a URL such as ${example}`)
  }
  if (urls.length === 0) throw new UsageError(`name a URL such as ${example}`)
  return urls
}

function parse(url: string, example: string): URL {
  // What does not parse may have a password in it, so it is not repeated.
  if (!URL.canParse(url)) throw new UsageError(`not a URL such as ${example}`)
  return new URL(url)
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}

/** Runs a bridge until SIGINT or SIGTERM; a second one ends the process at once. */
export async function runBridgeCommand(
  shell: Shell,
  command: Command,
  kind: string,
  urls: readonly string[],
  create: (deps: ForeignDeps, timeoutMs: number) => Side,
): Promise<number> {
  const registry = readRegistryOptions(command, shell.env)
  const { service, only, name, every, hold, keep, metrics } = command.opts<Parsed>()
  const { clock, random } = shell
  const { namespace = DEFAULTS.namespace, group, timeoutMs, json, tls } = registry
  const own = createRollcallSide(createApiClient(shell, registry), { namespace, group })
  // Authorities are trusted for either; a certificate of one's own is for Rollcall alone.
  const trusting = tls?.ca === undefined ? shell.fetch : withTls(shell.fetch, { ca: tls.ca })
  const other = create({ fetch: trusting, clock }, timeoutMs)
  const ended = new AbortController()
  const ignore = shell.onSignal(['SIGINT', 'SIGTERM'], () => {
    ignore()
    ended.abort()
  })
  const inwards = [other, own] as const
  const outwards = [own, other] as const
  const figures = createFigures(clock)
  const report = toAll(createReport(createOutput(shell), clock, json), figures)
  const close = metrics === undefined ? () => {} : await serveFigures(() => figures.render(), metrics)
  try {
    const stuck = await runBridge(
      { clock, random, report },
      {
        bridge: name ?? nameOf(kind, urls[0] ?? ''),
        ways: only === 'in' ? [inwards] : only === 'out' ? [outwards] : [inwards, outwards],
        ...(service === undefined ? {} : { services: new Set(service.map((each) => each.toLowerCase())) }),
        everyMs: every ?? EVERY_MS_MAX,
        holdMs: hold ?? HOLD_MS,
        instancesMax: INSTANCES_MAX,
        keep: keep === true,
      },
      ended.signal,
    )
    return stuck === 0 ? EXIT.ok : EXIT.failed
  } finally {
    ignore()
    close()
  }
}

/** The same at each start: what an earlier bridge mirrored is known by it. */
function nameOf(kind: string, url: string): string {
  const { host } = new URL(url)
  return `${kind}-${host}`.replaceAll(/[^A-Za-z0-9._:-]/g, '-').slice(0, 100)
}
