/** A process with the SDK in it: the client as it ships, over simulated ports. */
import {
  type ClusterOptions,
  connectOver,
  type ListChange,
  type Logger,
  type Registration,
  type RegistrationEvent,
  type RegistrationPatch,
  type Rollcall,
  type Service,
  viewKey,
} from '#client/internal'
import type { Instance, Intent, ViewName } from '@rollcall/wire'
import { metadataIn, Program, type ProgramDeps, weightIn } from './program.js'
import { createClientPorts, type Snapshots } from '../world/client-ports.js'
import type { SimRegistry } from '../world/registry.js'
import type { StreamEnd } from '../world/stream.js'
import { HOLD_OFF_MS, RECOVERY_MS } from '../world/surroundings.js'
import type { Trouble } from '../world/trouble.js'

/** How the client tells that a connection ended, or could not be made. */
const ENDS: ReadonlySet<string> = new Set([
  'registry connection lost',
  'registry not reached',
  'registry refuses the connection',
])

/** A watched view as the program has it. */
export interface SeenList {
  readonly name: ViewName
  readonly service: Service
  list: readonly Instance[]
  source: ListChange['source']
  /** A call is under way. */
  calling: boolean
}

/** The node from which a program has its lists. */
export interface Seat {
  readonly registry: SimRegistry
  /** When it was first seen there. */
  readonly since: number
}

/** What an SDK program is made of. */
export interface SdkProgramDeps extends ProgramDeps {
  readonly watches: readonly ViewName[]
  readonly trouble: Trouble
  /** Between two calls of each watched service. */
  readonly callMs: number
}

/** A call that is not answered in this time failed. */
const CALL_TIMEOUT_MS = 1_000

/** It registers, watches and calls. */
export class SdkProgram extends Program {
  readonly trouble: Trouble
  /** From when on its lists may be demanded to be right. */
  owedFrom: number = Infinity
  readonly lists: Map<string, SeenList> = new Map()
  /** The client of this life. */
  client: Rollcall | undefined
  /** The streams it holds. */
  readonly streams: Set<StreamEnd> = new Set()
  /** Promises of the client that a registry in reach is to settle. */
  waiting = 0
  private registrations: readonly Registration[] = []
  private readonly seats: (Seat | undefined)[] = []
  private readonly watches: readonly ViewName[]
  private readonly callMs: number
  private readonly snapshots: Snapshots = new Map()

  constructor(deps: SdkProgramDeps) {
    super(deps)
    this.trouble = deps.trouble
    this.watches = deps.watches
    this.callMs = deps.callMs
  }

  /** The node of a cluster with which it has its only stream, and since when it is known to; undefined while it moves. */
  seatIn(cluster: number): Seat | undefined {
    const nodes = this.world.clusters[cluster] ?? []
    const open = [...this.streams].filter((end) => end.open && end.met).map(({ peer }) => peer.process)
    const seated = nodes.filter(({ process }) => open.includes(process))
    const registry = seated.length === 1 ? seated[0] : undefined
    const before = this.seats[cluster]
    if (before?.registry !== registry)
      this.seats[cluster] = registry && { registry, since: this.world.queue.now }
    return this.seats[cluster]
  }

  /** Whether it runs and its lists may be expected to be right. */
  owed(now: number): boolean {
    return this.process.alive && !this.process.paused && now >= this.owedFrom && now >= this.trouble.calmFrom
  }

  /** Changes what it says of one of its endpoints. */
  update(index: number, patch: RegistrationPatch, intent: Intent | undefined): void {
    const { client, registrations, endpoints } = this
    const registration = registrations[index % Math.max(1, registrations.length)]
    if (registration === undefined || !this.process.alive) return
    const own = endpoints.filter(
      ({ key }) => key.service === registration.service && key.id === registration.id,
    )
    this.process.deliver(() => {
      if (this.client !== client) return
      // Whatever it says now has to reach the registry first.
      for (const endpoint of own) endpoint.excuse(this.world.queue.now + RECOVERY_MS)
      const ignore = (): void => {}
      if (Object.keys(patch).length > 0) this.awaiting(registration.update(patch)).catch(ignore)
      if (intent === undefined) return
      for (const endpoint of own) endpoint.intent = intent
      this.awaiting(registration.setState(intent)).catch(ignore)
    })
  }

  protected begin(): void {
    const { world, process, chance, snapshots, streams } = this
    this.owedFrom = world.queue.now + RECOVERY_MS
    const deps = { process, network: world.network, chance: chance.fork(process.life), snapshots, streams }
    const client = connectOver(createClientPorts(deps), {
      ...(world.clusters.length === 1
        ? clusterOptions(world.clusters[0]!)
        : {
            clusters: Object.fromEntries(
              world.clusters.map((nodes, cluster) => [nameOf(cluster), clusterOptions(nodes)]),
            ),
          }),
      merge: world.merge,
      snapshotDir: '/simulated',
      logger: this.logger(),
      warmup: (instance) => this.knock(instance),
      warmupTimeoutMs: CALL_TIMEOUT_MS,
    })
    this.client = client
    for (const name of this.watches) {
      const { service: named, ...where } = name
      const service = client.service(named, where)
      const seen: SeenList = { name, service, list: [], source: 'none', calling: false }
      this.lists.set(viewKey(name), seen)
      this.follow(client, seen).catch((error: unknown) => world.failed(error))
    }
    if (this.endpoints.length > 0) this.register(client)
    if (this.watches.length === 0) return
    client
      .ready([...this.lists.values()].map(({ service }) => service))
      .catch((error: unknown) => world.note(this.name, () => `not ready: ${String(error)}`))
    this.call()
  }

  protected farewell(exit: () => void): void {
    if (this.client === undefined) return exit()
    this.awaiting(this.client.close()).then(exit, (error: unknown) => this.world.failed(error))
  }

  protected override ended(): void {
    this.client = undefined
    this.lists.clear()
    this.streams.clear()
    this.registrations = []
    this.waiting = 0
  }

  /** Counts a promise of the client while it is not settled. */
  private awaiting<T>(promise: Promise<T>): Promise<T> {
    const { life } = this.process
    this.waiting += 1
    return promise.finally(() => {
      if (this.process.life === life) this.waiting -= 1
    })
  }

  private register(client: Rollcall): void {
    const items = this.in(0).map(({ key, port, leaseMs, probed, intent }) => ({
      ...key,
      port,
      leaseMs,
      weight: weightIn(this.process),
      metadata: metadataIn(this.process),
      state: intent,
      ...(probed ? {} : { probe: { type: 'none' as const } }),
    }))
    const registered = (registrations: readonly Registration[]): void => {
      if (this.client !== client) return
      this.registrations = registrations
      registrations.forEach((registration, index) => {
        registration.onEvent((event) => this.registered(index, event))
        for (const each of registration.clusters) this.registered(index, each)
      })
    }
    const refused = (error: unknown): void => {
      if (this.client !== client) return
      // Refused as a whole: as a supervisor would, the program tries again a little later.
      this.world.note(this.name, () => `register() failed: ${String(error)}`)
      for (const endpoint of this.endpoints) this.conflicts(endpoint)
      this.process.clock.setTimer(5_000, () => {
        if (this.client === client) this.register(client)
      })
    }
    this.awaiting(client.register(items)).then(registered, refused)
  }

  private registered(index: number, event: Omit<RegistrationEvent, 'type'>): void {
    const { cluster, state, incarnation } = event
    const endpoint = this.in(this.clusterOf(cluster))[index]
    if (endpoint === undefined) return
    endpoint.incarnation = incarnation
    this.world.note(
      this.name,
      () => `registration of ${endpoint.key.id} (${endpoint.cluster}): ${state} as ${incarnation}`,
    )
    if (state === 'conflict' || state === 'standby') this.conflicts(endpoint)
    if (state === 'removed') endpoint.excuse(this.world.queue.now + HOLD_OFF_MS)
  }

  private clusterOf(name: unknown): number {
    return Math.max(
      0,
      this.world.clusters.findIndex((_, cluster) => nameOf(cluster) === name),
    )
  }

  /** Reads what changes on a list. */
  private async follow(client: Rollcall, seen: SeenList): Promise<void> {
    const { world } = this
    for await (const change of seen.service.changes()) {
      if (this.client !== client) return
      seen.list = change.instances
      seen.source = change.source
      const text = (): string => `sees ${seen.name.service} ${change.source} ${listText(change.instances)}`
      world.note(this.name, text)
      world.listed(this, seen.name, change)
    }
  }

  private logger(): Logger {
    const { world } = this
    const line = (fields: Readonly<Record<string, unknown>>, message: string): void => {
      world.note(this.name, () => `${message} ${JSON.stringify(fields)}`)
      if (ENDS.has(message))
        world.disconnected(this, this.clusterOf(fields['cluster']), String(fields['reason']))
    }
    return { error: line, warn: line, info: line, debug: line }
  }

  /** Calls each watched service, again and again; one call at a time. */
  private call(): void {
    const { process, client } = this
    process.clock.setTimer(this.callMs, () => this.call())
    for (const seen of this.lists.values()) {
      if (seen.calling || client === undefined) continue
      seen.calling = true
      const options = { idempotent: true, tryTimeoutMs: CALL_TIMEOUT_MS }
      seen.service
        .call((instance) => this.knock(instance), options)
        .catch((error: unknown) => this.world.note(this.name, () => `a call failed: ${String(error)}`))
        .finally(() => {
          seen.calling = false
        })
    }
  }

  /** A request to an instance: resolves when it answers. One that hangs accepts the connection, and is silent. */
  private knock(instance: Instance): Promise<void> {
    const { process, world } = this
    const { host, port } = instance
    return new Promise((resolve, reject) => {
      world.network.knock(process.host, host, port, CALL_TIMEOUT_MS, (state) => {
        if (state === 'accepts' && world.hangs(host, port)) return
        process.deliver(() => {
          if (state === 'accepts') return resolve()
          if (state === 'refuses') world.refused(this, instance)
          const code = state === 'refuses' ? 'ECONNREFUSED' : 'ETIMEDOUT'
          reject(Object.assign(new Error(`${host}:${port} ${state}`), { code, syscall: 'connect' }))
        })
      })
    })
  }
}

/** What a cluster is called by its clients, where there are several. */
function nameOf(cluster: number): string {
  return `cluster-${cluster}`
}

function clusterOptions(nodes: readonly SimRegistry[]): ClusterOptions {
  return { registries: nodes.map(({ address: { host, port } }) => `http://${host}:${port}`) }
}

/** A list in a line. */
export function listText(list: readonly Instance[]): string {
  const texts = list.map(
    ({ id, state, incarnation, reason }) =>
      `${id}#${incarnation % 1_000_000} ${state}${reason === undefined ? '' : ` (${reason})`}`,
  )
  return `[${texts.join(', ')}]`
}
