/** The client that programs hold. */
import type { ViewName } from '@rollcall/wire'
import type { AddressSources } from './shell/address.js'
import { findOwnAddress, isLoopback } from './shell/address.js'
import { createBalancing } from './balancers/balancing.js'
import { createClientMachine } from './clusters/machine.js'
import type { Driver } from './shell/driver.js'
import { createDriver } from './shell/driver.js'
import type { ClientEffect, ClusterTerms, MergeMode } from './machine/events.js'
import type { MachineSettings } from './machine/settings.js'
import type { MachineStatus } from './machine/status.js'
import { checkKnown } from './known-options.js'
import { checkRegisterTypes } from './option-types.js'
import { checkIdle, checkName, checkTls, lookupOf, placesOf, registrationSpec } from './options.js'
import { RegistrationHandle, registrationEvent } from './registration.js'
import type { Requester } from './calls/requester.js'
import type { NodeTls } from './calls/tls.js'
import { onAbort } from './calls/signals.js'
import { ServiceWatch } from './service.js'
import { ServiceHandles } from './service-handles.js'
import type { SnapshotStore } from './shell/snapshots.js'
import type { Transport } from './shell/transport.js'
import { waitWithin } from './start-up/waiting.js'
import type { WarmUps } from './start-up/warm-up.js'
import { viewKey } from './machine/keys.js'
import type { Clock, Logger, Random } from './machine/ports.js'
import type {
  AddressOptions,
  Observer,
  ReadyOptions,
  RegisterOptions,
  Registration,
  Rollcall,
  Service,
  ServiceOptions,
} from './api.js'
import { defined, RegistryError } from '@rollcall/wire'

/** What a client is made of. */
export interface ClientDeps {
  readonly transport: Transport
  /** For connections to nodes, by cluster. Default: certificates that Node trusts. */
  readonly tls?: ReadonlyMap<string, NodeTls>
  readonly clock: Clock
  readonly logger: Logger
  readonly observer?: Observer | undefined
  /** By cluster; none where no snapshots are kept. */
  readonly snapshots: ReadonlyMap<string, SnapshotStore>
  /** For the calls to one service. */
  readonly createRequester: (tls: NodeTls) => Requester
  readonly addresses: AddressSources
  readonly warmUps: WarmUps
}

/** What a client is to do. */
export interface ClientOptions {
  /** At least one, the preferred one first. */
  readonly clusters: readonly MachineSettings[]
  readonly merge: MergeMode
  readonly namespace: string
  /** Where this process is. */
  readonly zone: string | undefined
  readonly random: Random
  readonly address: AddressOptions
  readonly signal: AbortSignal | undefined
}

/** Creates a client and starts connecting. */
export function createClient(deps: ClientDeps, options: ClientOptions): Rollcall {
  const client = new Client(deps, options)
  client.start()
  return client
}

class Client implements Rollcall {
  private readonly deps: ClientDeps
  private readonly options: ClientOptions
  private readonly clusters: readonly string[]
  /** Those that take registrations: a static list does not. */
  private readonly registering: readonly string[]
  private readonly driver: Driver
  private readonly services: ServiceHandles
  private readonly registrations = new Map<number, RegistrationHandle>()
  private nextHandle = 1
  private closing: Promise<void> | undefined
  private unobserve: (() => void) | undefined
  private letGo: (() => void) | undefined
  private warned = false

  constructor(deps: ClientDeps, options: ClientOptions) {
    this.deps = deps
    this.options = options
    const { transport, clock, logger, snapshots, tls } = deps
    this.services = new ServiceHandles({
      clock,
      logger,
      unwatch: (key, error) => this.driver.dispatch({ type: 'unwatch', key, error }),
    })
    this.clusters = options.clusters.map(({ cluster }) => cluster)
    const reachable = options.clusters.filter(({ urls }) => urls.length > 0)
    this.registering = reachable.length === 0 ? this.clusters : reachable.map(({ cluster }) => cluster)
    const machine = createClientMachine(options.clusters)
    this.driver = createDriver(
      { machine, transport, clock, logger, snapshots, ...defined({ tls }) },
      {
        list: (effect) => this.services.get(effect.key)?.changed(effect.change),
        candidates: (effect) => this.services.get(effect.key)?.offer(effect),
        registration: (effect) => this.registrationChanged(effect),
      },
    )
  }

  start(): void {
    const { signal } = this.options
    this.driver.dispatch({ type: 'start' })
    this.unobserve = this.deps.observer?.connected?.(this)
    if (signal?.aborted === true) this.abort()
    else this.letGo = onAbort(signal, this.abort)
  }

  register(options: RegisterOptions, call?: { readonly signal?: AbortSignal }): Promise<Registration>
  register(
    options: readonly RegisterOptions[],
    call?: { readonly signal?: AbortSignal },
  ): Promise<Registration[]>
  async register(
    options: RegisterOptions | readonly RegisterOptions[],
    call: { readonly signal?: AbortSignal } = {},
  ): Promise<Registration | Registration[]> {
    const { namespace, zone } = this.options
    const located = zone === undefined ? {} : { zone }
    const wanted: readonly RegisterOptions[] = isList(options) ? options : [options]
    for (const item of wanted) {
      checkKnown(item, 'register')
      checkRegisterTypes(item)
    }
    const own = wanted.every((item) => item.host !== undefined) ? undefined : await this.ownAddresses()
    const items = wanted.map((item) => {
      const { host, clusters } = this.located(item, own)
      const spec = registrationSpec({ ...located, ...item }, namespace, host)
      return { handle: this.nextHandle++, spec, intent: item.state ?? ('up' as const), clusters }
    })
    const { driver } = this
    const handles = items.map(
      ({ handle, spec, clusters }) =>
        new RegistrationHandle({ driver, logger: this.deps.logger }, handle, spec, [...clusters.keys()]),
    )
    items.forEach((item, index) => this.registrations.set(item.handle, handles[index]!))
    try {
      await driver.call((token) => ({ type: 'register', token, items }), {
        signal: call.signal,
        undo: (token) => ({ type: 'abandon', token }),
      })
    } catch (error) {
      for (const { handle } of items) this.registrations.delete(handle)
      throw error
    }
    return isList(options) ? handles : handles[0]!
  }

  service(name: string, options: ServiceOptions = {}): Service {
    checkKnown(options, 'service')
    const { namespace } = this.options
    const view: ViewName = {
      namespace: checkName(options.namespace ?? namespace, 'namespace'),
      service: checkName(name, 'service'),
      ...(options.group === undefined ? {} : { group: checkName(options.group, 'group') }),
    }
    const lookup = lookupOf(options, this.clusters, this.options.merge)
    const key = viewKey(view)
    const create = (): ServiceWatch => this.watch(view, key, options, lookup)
    const idleMs = checkIdle(options.idleMs)
    return idleMs === undefined
      ? this.services.open(key, create)
      : this.services.openIdle(key, create, idleMs)
  }

  async ready(wanted: readonly (string | Service)[], options: ReadyOptions = {}): Promise<Service[]> {
    const services = wanted.map((item) => (typeof item === 'string' ? this.service(item) : item))
    await allReady(services, options)
    return services
  }

  status(): MachineStatus {
    return this.driver.status()
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shutDown(): Promise<void> {
    const { clock, warmUps, transport, snapshots, logger } = this.deps
    const endAt = clock.now() + Math.max(...this.options.clusters.map(({ times }) => times.closeMs))
    this.letGo?.()
    warmUps.close()
    // The machine keeps to the deadline by itself.
    await this.driver.call((token) => ({ type: 'close', token }))
    this.services.close()
    // A disk may hang for ever, and a program that ends must not.
    let ended = false
    const rest = Promise.allSettled([
      transport.close(),
      ...[...snapshots.values()].map((store) => store.close()),
    ])
    await waitWithin(
      rest.then(() => void (ended = true)),
      clock,
      endAt - clock.now(),
      undefined,
    )
    if (!ended) logger.warn({ snapshots: snapshots.size }, 'closed before all snapshots were written')
    this.unobserve?.()
  }

  private readonly abort = (): void => {
    this.close().catch((error: unknown) => this.deps.logger.error({ error: String(error) }, 'closing failed'))
  }

  /** Watches a service; of a closed client one that has ended. */
  private watch(
    view: ViewName,
    key: string,
    options: ServiceOptions,
    lookup: ReturnType<typeof lookupOf>,
  ): ServiceWatch {
    const { zone, random } = this.options
    const { createRequester, clock, warmUps, observer } = this.deps
    const balancing = createBalancing(zone === undefined ? options : { zone, ...options }, {
      random,
      now: () => clock.now(),
    })
    const watch = new ServiceWatch(
      {
        driver: this.driver,
        ...balancing,
        requester: createRequester(checkTls(options.tls)),
        clock,
        warmUps,
        warmup: options.warmup,
        observer,
        registrations: () => this.registrations.values(),
      },
      key,
      view,
    )
    if (this.closing === undefined) this.driver.dispatch({ type: 'watch', names: [view], ...lookup })
    else watch.close()
    return watch
  }

  /** The address that each cluster is reached from. */
  private async ownAddresses(): Promise<ReadonlyMap<string, string>> {
    const { clusters, address } = this.options
    const { addresses, logger } = this.deps
    const registering = clusters.filter(({ cluster }) => this.registering.includes(cluster))
    const found = registering.map(async ({ cluster, urls }) => {
      const own = await findOwnAddress(address, this.driver.localAddress(cluster), urls, addresses)
      logger.info({ cluster, ...own }, 'own address picked')
      return [cluster, own.host] as const
    })
    return new Map(await Promise.all(found))
  }

  /** Where to register, and the address for its id, which is the same everywhere: of its own ones the first that others reach. */
  private located(
    item: RegisterOptions,
    own: ReadonlyMap<string, string> | undefined,
  ): { readonly host: string; readonly clusters: ReadonlyMap<string, ClusterTerms> } {
    const places = placesOf(item, this.registering)
    if (item.host !== undefined || own === undefined) return { host: '', clusters: places }
    const hosts = [...places.keys()].map((cluster) => own.get(cluster)!)
    const host = hosts.find((each) => !isLoopback(each)) ?? hosts[0]!
    if (isLoopback(host) && this.options.address.host === undefined) this.warnOfLoopback(host)
    if (hosts.every((each) => each === host)) return { host, clusters: places }
    const terms = [...places].map(
      ([cluster, given]) => [cluster, { host: own.get(cluster)!, ...given }] as const,
    )
    return { host, clusters: new Map(terms) }
  }

  private warnOfLoopback(host: string): void {
    if (this.warned) return
    this.warned = true
    const message = 'only this host can call the own address: set address.host or address.prefer for others'
    this.deps.logger.warn({ host }, message)
  }

  private registrationChanged(effect: Extract<ClientEffect, { readonly type: 'registration' }>): void {
    const registration = this.registrations.get(effect.handle)
    registration?.changed(registrationEvent(effect))
    if (registration?.state === 'deregistered') this.registrations.delete(effect.handle)
    for (const service of this.services.all()) service.registered()
  }
}

/**
 * Waits for all services at once. Rejects when each one is ready or is not, with the code of the first that is not,
 * and `details.services`: the code of each that is not, by name.
 */
async function allReady(services: readonly Service[], options: ReadyOptions): Promise<void> {
  const failed: Record<string, string> = {}
  let first: RegistryError | undefined
  await Promise.all(
    services.map((service) =>
      service.ready(options).catch((error: unknown) => {
        if (!(error instanceof RegistryError)) throw error
        first ??= error
        failed[service.group === undefined ? service.name : `${service.name}:${service.group}`] = error.code
      }),
    ),
  )
  if (first === undefined) return
  const names = Object.entries(failed).map(([name, code]) => `${name} (${code})`)
  throw new RegistryError(
    first.code,
    `${names.length} of ${services.length} services are not ready: ${names.join(', ')}`,
    { cause: first, details: { services: failed } },
  )
}

function isList(
  options: RegisterOptions | readonly RegisterOptions[],
): options is readonly RegisterOptions[] {
  return Array.isArray(options)
}
