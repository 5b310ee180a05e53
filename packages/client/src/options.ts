import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import type { Instance, Intent, Liveness, Probe } from '@rollcall/wire'
import {
  DEFAULTS,
  EMPTY_SIGN,
  ID_PATTERN,
  LIMITS,
  NAME_PATTERN,
  RegistryError,
  STREAM_PATH,
} from '@rollcall/wire'
import type { AddressOptions } from './shell/address.js'
import { blockOf } from './shell/address.js'
import type { BalancingOptions } from './balancers/balancing.js'
import type { Observer } from './observer.js'
import type { ClusterTerms, MergeMode, RegistrationSpec } from './machine/events.js'
import type { MachineTimes } from './machine/settings.js'
import type { WarmUpHook, WarmUpOptions } from './start-up/warm-up.js'
import { viewKey } from './machine/keys.js'
import type { Logger } from './machine/ports.js'

/** An instance of a static list. */
export interface StaticInstance {
  readonly host: string
  readonly port: number
  /** Default `host:port`. */
  readonly id?: string
  readonly group?: string
  readonly protocol?: string
  readonly weight?: number
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** One of several clusters. */
export type ClusterOptions = Pick<ConnectOptions, 'registries' | 'cluster' | 'static'>

/** Options of `connect`. */
export interface ConnectOptions extends WarmUpOptions {
  /** URLs of the nodes of one cluster. Default `[]`: only snapshots and static lists. */
  readonly registries?: readonly string[]
  /**
   * Several clusters by name, the preferred one first, instead of `registries`, `cluster` and `static`, which each
   * of them has for itself. At most 16; more are refused.
   */
  readonly clusters?: Readonly<Record<string, ClusterOptions>>
  /** How the lists of several clusters become one where a service does not say it. Default `union`. */
  readonly merge?: MergeMode
  /** Default `default`. */
  readonly namespace?: string
  /**
   * The zone of this process: registrations carry it, and services are called in it first, unless they say otherwise.
   * Default none.
   */
  readonly zone?: string
  /** Names the cluster in snapshot files. Default: derived from `registries`, so set it if that list changes often. */
  readonly cluster?: string
  /**
   * Where snapshots are kept; `false` keeps none. Default: `rollcall` in the user's cache directory
   * (XDG_CACHE_HOME, LOCALAPPDATA or ~/.cache), or in the temporary directory where there is no home.
   */
  readonly snapshotDir?: string | false
  /** Last resort by service, in the namespace of this client. */
  readonly static?: Readonly<Record<string, readonly StaticInstance[]>>
  /** Default: nothing is logged. */
  readonly logger?: Logger
  /** Follows calls and lists, for traces and metrics. Default: nobody does. */
  readonly observer?: Observer
  /** Closes the client when aborted. */
  readonly signal?: AbortSignal
  /** How the own address is found where a registration names no host. */
  readonly address?: AddressOptions
  /** Times and bounds other than the defaults. */
  readonly times?: Partial<MachineTimes>
}

/** One registration. */
export interface RegisterOptions {
  readonly service: string
  readonly port: number
  /** Default: the own address, see `ConnectOptions.address`. */
  readonly host?: string
  /** Default `host:port`. */
  readonly id?: string
  readonly namespace?: string
  /** Default `default`. */
  readonly group?: string
  readonly protocol?: string
  /** 0 to 65,535, default 100. */
  readonly weight?: number
  /** Default: `ConnectOptions.zone`. */
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Default `up`. */
  readonly state?: Intent
  readonly leaseMs?: number
  readonly liveness?: Liveness
  readonly probe?: Probe
  /**
   * Only these of several clusters; by name, or with what is different there, such as
   * `{ east: {}, west: { liveness: 'static' } }`. Default all that have registries.
   */
  readonly clusters?: readonly string[] | Readonly<Record<string, ClusterTerms>>
}

/** Options of `service`; those of its first use count. */
export interface ServiceOptions extends BalancingOptions {
  /** Only this group; default all. */
  readonly group?: string
  readonly namespace?: string
  /** Instead of `ConnectOptions.warmup`. */
  readonly warmup?: WarmUpHook | false
  /** Only these of several clusters, the preferred one first. Default all as `connect` has them. Counts at the first use. */
  readonly clusters?: readonly string[]
  /** Default that of `connect`. Counts at the first use. */
  readonly merge?: MergeMode
}

/** Stream URLs of registries; throws `invalid_argument`. */
export function streamUrls(registries: readonly string[]): string[] {
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
  for (const cidr of options.prefer ?? []) blockOf(cidr)
  return options
}

/** Checks a name; throws `invalid_argument`. */
export function checkName(name: string, field: string): string {
  if (typeof name !== 'string' || !NAME_PATTERN.test(name))
    throw invalid(`${name} is not a name (${NAME_PATTERN.source})`, field)
  return name
}

/** Completes a registration; throws `invalid_argument` for what no registry would take. */
export function registrationSpec(
  options: RegisterOptions,
  namespace: string,
  ownHost: string,
): RegistrationSpec {
  const { service, port, state: _state, clusters: _clusters, ...rest } = options
  const host = options.host ?? ownHost
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid(`${String(port)} is not a port`, 'port')
  const weight = options.weight ?? 0
  if (!Number.isInteger(weight) || weight < 0 || weight > LIMITS.weightMax)
    throw invalid('the weight is out of range', 'weight')
  const id = options.id ?? `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!ID_PATTERN.test(id)) throw invalid(`${id} is not an id (${ID_PATTERN.source})`, 'id')
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

/** Directory of the snapshots by default. */
export function defaultSnapshotDir(environment: Readonly<Record<string, string | undefined>>): string {
  const cache = environment['XDG_CACHE_HOME'] ?? environment['LOCALAPPDATA']
  if (cache !== undefined && cache !== '') return join(cache, 'rollcall')
  const home = homedir()
  return home === '' || home === '/'
    ? join(tmpdir(), `rollcall-${userInfo().username}`)
    : join(home, '.cache', 'rollcall')
}

/** Name of a cluster in snapshot files when none is given. */
export function clusterName(registries: readonly string[]): string {
  return createHash('sha256')
    .update([...registries].sort().join('\n'))
    .digest('hex')
    .slice(0, 12)
}

/** The error of an argument that cannot work. */
export function invalid(message: string, field: string): RegistryError {
  return new RegistryError('invalid_argument', message, { field })
}
