/** Checks of what programs pass to the SDK, and the defaults. */
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import type { Instance } from '@rollcall/wire'
import {
  DEFAULTS,
  EMPTY_SIGN,
  hostFault,
  ID_PATTERN,
  ID_WORDS,
  LIMITS,
  NAME_PATTERN,
  NAME_WORDS,
  STREAM_PATH,
} from '@rollcall/wire'
import { checkKnown } from './known-options.js'
import { checkFlag, checkStatic } from './option-types.js'
import { type NodeTls, nodeTls, type TlsOptions } from './calls/tls.js'
import { blockOf } from './shell/address.js'
import type { ClusterTerms, MergeMode, RegistrationSpec } from './machine/events.js'
import { asked } from './machine/asked.js'
import { invalid } from './machine/errors.js'
import { viewKey } from './machine/keys.js'
import type {
  AddressOptions,
  ClusterOptions,
  ConnectOptions,
  RegisterOptions,
  ServiceOptions,
  StaticInstance,
} from './api.js'

/** Stream URLs of registries; throws `invalid_argument`. */
export function streamUrls(registries: readonly string[]): string[] {
  if (!Array.isArray(registries))
    throw invalid("registries must be a list of URLs, such as ['http://127.0.0.1:7400']", 'registries')
  return registries.map((text, index) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw invalid(`${text} is not an http or https URL`, `registries[${index}]`)
    }
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    url.pathname = url.pathname.replace(/\/+$/, '') + STREAM_PATH
    return url.href
  })
}

/** Checks the own-address options early, so that a typing error does not show at the first registration only. */
export function checkAddress(options: AddressOptions): AddressOptions {
  checkKnown(options, 'address', 'address')
  if (options.host !== undefined) checkHost(options.host, 'address.host')
  for (const cidr of options.prefer ?? []) blockOf(cidr)
  return options
}

/** Checks times other than the defaults; throws `invalid_argument`. */
export function checkTimes(times: ConnectOptions['times'] = {}): NonNullable<ConnectOptions['times']> {
  checkKnown(times, 'times', 'times')
  for (const [name, value] of Object.entries(times))
    if (!(Number.isFinite(value) && value >= 0))
      throw invalid('a time is a number of milliseconds', `times.${name}`)
  return times
}

/** Checks a name; throws `invalid_argument`. */
export function checkName(name: string, field: string): string {
  if (typeof name !== 'string' || !NAME_PATTERN.test(name))
    throw invalid(
      `${field} must be ${NAME_WORDS}; it is ${typeof name === 'string' ? JSON.stringify(name) : typeof name}`,
      field,
    )
  return name
}

/** Completes a registration; throws `invalid_argument` for what no registry would take. */
export function registrationSpec(
  options: RegisterOptions,
  namespace: string,
  ownHost: string,
): RegistrationSpec {
  const { service, port, state: _state, clusters: _clusters, ...rest } = options
  const host = checkHost(options.host ?? ownHost, 'host')
  checkPort(port)
  const weight = options.weight ?? 0
  if (!Number.isInteger(weight) || weight < 0 || weight > LIMITS.weightMax)
    throw invalid('the weight is out of range', 'weight')
  const id = options.id ?? `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!ID_PATTERN.test(id)) throw invalid(`id must be ${ID_WORDS}; it is ${JSON.stringify(id)}`, 'id')
  return {
    ...rest,
    namespace: checkName(options.namespace ?? namespace, 'namespace'),
    service: checkName(service, 'service'),
    group: checkName(options.group ?? DEFAULTS.group, 'group'),
    id,
    host,
    port,
  }
}

/** Checks a host at which others are to reach an instance; throws `invalid_argument`. */
function checkHost(host: string, field: string): string {
  if (typeof host !== 'string') throw invalid(`host must be a text; it is ${typeof host}`, field)
  const fault = hostFault(host)
  if (fault !== undefined)
    throw invalid(
      `${fault} (it is ${JSON.stringify(host)}; without one the client takes its own address)`,
      field,
    )
  return host
}

function checkPort(port: number): void {
  if (typeof port === 'string')
    throw invalid(`port must be a number; it is the text ${JSON.stringify(port)}`, 'port')
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid(`port must be a whole number from 1 to 65535; it is ${String(port)}`, 'port')
}

/** Static lists by view key: for the whole service and for each group in it. */
export function staticLists(
  given: ConnectOptions['static'],
  namespace: string,
): Map<string, readonly Instance[]> {
  const lists = new Map<string, Instance[]>()
  for (const [service, items] of Object.entries(given ?? {})) {
    for (const item of items) {
      const instance = staticInstance(item, namespace, service)
      for (const key of [
        viewKey({ namespace, service }),
        viewKey({ namespace, service, group: instance.group }),
      ]) {
        lists.set(key, [...(lists.get(key) ?? []), instance])
      }
    }
  }
  return lists
}

function staticInstance(item: StaticInstance, namespace: string, service: string): Instance {
  checkKnown(item, 'static', `static.${service}`)
  const spec = registrationSpec({ service, ...item }, namespace, item.host)
  return {
    ...spec,
    weight: spec.weight ?? DEFAULTS.weight,
    metadata: spec.metadata ?? {},
    state: 'up',
    stateAgeMs: 0,
    incarnation: 0,
    digest: EMPTY_SIGN,
  }
}

/** What the operating system says of the user. */
export interface SystemUser {
  readonly homedir: () => string
  /** Absent on Windows. */
  readonly getuid?: () => number
}

/** Directory of the snapshots by default. A user without a home, as in a container, has one by number. */
export function defaultSnapshotDir(
  environment: Readonly<Record<string, string | undefined>>,
  user: SystemUser = { homedir, ...(process.getuid && { getuid: process.getuid }) },
): string {
  const cache = environment['XDG_CACHE_HOME'] ?? environment['LOCALAPPDATA']
  if (cache !== undefined && cache !== '') return join(cache, 'rollcall')
  const home = asked(user.homedir) ?? ''
  return home === '' || home === '/'
    ? join(tmpdir(), `rollcall-${user.getuid?.() ?? 'user'}`)
    : join(home, '.cache', 'rollcall')
}

/** Name of a cluster in snapshot files when none is given. */
export function clusterName(registries: readonly string[]): string {
  return createHash('sha256')
    .update([...registries].sort().join('\n'))
    .digest('hex')
    .slice(0, 12)
}

/** Most clusters of one client: each costs a connection, and a copy of every list. */
export const CLUSTERS_MAX = 16

/** One cluster, checked. */
export interface Cluster {
  /** As people call it. */
  readonly name: string
  readonly registries: readonly string[]
  /** Stream URLs of the registries. */
  readonly urls: readonly string[]
  /** Whether nodes that the cluster names are used too. */
  readonly learnNodes: boolean
  readonly tls: NodeTls
  /** Name in snapshot files: derived from the registries, so that one name for two clusters mixes nothing. */
  readonly snapshotName: string
  readonly statics: ReadonlyMap<string, readonly Instance[]>
  /** Whether its name in snapshot files was given. */
  readonly isNamed: boolean
}

/** The clusters of a client, in order; throws `invalid_argument`. */
export function clustersOf(options: ConnectOptions, namespace: string): readonly Cluster[] {
  const clusters = clustersFrom(options, namespace)
  // Those that have a name may be known from snapshots.
  const named = options.snapshotDir !== false && clusters.some(({ isNamed }) => isNamed)
  if (!named && clusters.every(({ urls, statics }) => urls.length === 0 && statics.size === 0))
    throw invalid('there is nowhere to go: give the URLs of registries, or a static list', 'registries')
  return clusters
}

function clustersFrom(options: ConnectOptions, namespace: string): readonly Cluster[] {
  if (options.clusters === undefined) {
    const { registries = [], learnNodes, cluster, static: lists, tls } = options
    const own = { registries, learnNodes, cluster, static: lists, tls }
    return [clusterOf(cluster ?? 'default', own, namespace)]
  }
  for (const field of ['registries', 'learnNodes', 'cluster', 'static', 'tls'] as const)
    if (options[field] !== undefined) throw invalid(`${field} belongs to each of the clusters`, field)
  const named = Object.entries(options.clusters)
  if (named.length === 0 || named.length > CLUSTERS_MAX)
    throw invalid(`there must be 1 to ${CLUSTERS_MAX} clusters`, 'clusters')
  return named.map(([name, each]) => {
    checkKnown(each, 'cluster', `clusters.${name}`)
    checkStatic(each.static, `clusters.${name}.static`)
    checkFlag(each.learnNodes, `clusters.${name}.learnNodes`)
    return clusterOf(checkName(name, 'clusters'), each, namespace)
  })
}

function clusterOf(
  name: string,
  options: { readonly [K in keyof ClusterOptions]?: ConnectOptions[K] | undefined },
  namespace: string,
): Cluster {
  const { registries = [], cluster } = options
  return {
    name,
    registries,
    urls: streamUrls(registries),
    learnNodes: options.learnNodes ?? true,
    tls: checkTls(options.tls),
    snapshotName: cluster === undefined ? clusterName(registries) : checkName(cluster, 'cluster'),
    statics: staticLists(options.static, namespace),
    isNamed: cluster !== undefined,
  }
}

/** TLS options as Node takes them; throws `invalid_argument`. */
export function checkTls(options: TlsOptions | undefined): NodeTls {
  if (options === undefined) return {}
  checkKnown(options, 'tls', 'tls')
  return nodeTls(options)
}

/** How long a service may be unused; throws `invalid_argument`. */
export function checkIdle(idleMs: number | undefined): number | undefined {
  if (idleMs !== undefined && !(Number.isFinite(idleMs) && idleMs > 0))
    throw invalid('the idle time is a number of milliseconds above 0', 'idleMs')
  return idleMs
}

/** Where and how to look for a service; throws `invalid_argument`. */
export function lookupOf(
  { clusters, merge }: ServiceOptions,
  known: readonly string[],
  usual: MergeMode,
): { readonly clusters: readonly string[]; readonly merge: MergeMode } {
  if (merge !== undefined && merge !== 'union' && merge !== 'preferred')
    throw invalid(`${String(merge)} is neither union nor preferred`, 'merge')
  return { clusters: clusters === undefined ? known : namesOf(clusters, known), merge: merge ?? usual }
}

/** Where to register, and on which terms; `known` are the clusters that take registrations. Throws `invalid_argument`. */
export function placesOf(
  { clusters }: RegisterOptions,
  known: readonly string[],
): ReadonlyMap<string, ClusterTerms> {
  if (clusters === undefined) return new Map(known.map((name) => [name, {}]))
  const given: Readonly<Record<string, ClusterTerms>> = isNames(clusters)
    ? Object.fromEntries(clusters.map((name) => [name, {}]))
    : clusters
  const places = new Map<string, ClusterTerms>()
  for (const name of namesOf(Object.keys(given), known)) {
    const terms = given[name] ?? {}
    checkKnown(terms, 'terms', `clusters.${name}`)
    const { host, liveness, leaseMs, probe } = terms
    places.set(name, {
      ...(host === undefined ? {} : { host: checkHost(host, `clusters.${name}.host`) }),
      ...(liveness === undefined ? {} : { liveness }),
      ...(leaseMs === undefined ? {} : { leaseMs }),
      ...(probe === undefined ? {} : { probe }),
    })
  }
  return places
}

function namesOf(given: readonly string[], known: readonly string[]): readonly string[] {
  if (given.length === 0) throw invalid('at least one cluster has to be named', 'clusters')
  for (const name of given)
    if (!known.includes(name))
      throw invalid(`${name} is none of the clusters ${known.join(', ')}`, 'clusters')
  return [...new Set(given)]
}

function isNames(
  clusters: readonly string[] | Readonly<Record<string, ClusterTerms>>,
): clusters is readonly string[] {
  return Array.isArray(clusters)
}
