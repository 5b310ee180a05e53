/** The client of one or more clusters as a step function over messages and time. */
import type { Instance, RegistryError } from '@rollcall/wire'
import { RegistryError as RegistryFailure } from '@rollcall/wire'
import { earliest } from '../machine/deadlines.js'
import type { ClientEffect, ClientEvent, RegisterItem, Token, Turn } from '../machine/events.js'
import type { ClusterEffect, ClusterEvent, ClusterItem } from '../cluster/events.js'
import { ClusterMachine } from '../cluster/machine.js'
import type { MachineSettings } from '../machine/settings.js'
import type { ClusterStatus, MachineStatus, Origin, WatchStatus } from '../machine/status.js'
import { RegisterCalls } from './calls.js'
import { Rounds } from './rounds.js'
import type { Reach } from './reach.js'
import { WatchedLists } from './watched-lists.js'
import { nameOf } from '../machine/keys.js'
import { closedError, ofCluster } from '../machine/errors.js'

/** The whole client as a step function over messages and time. */
export interface ClientMachine {
  /** Takes events in at a moment (never earlier than the one before) and returns what is to be done, in order. */
  step(now: number, events: readonly ClientEvent[]): readonly ClientEffect[]
  /** When `step` next wants a `tick`; undefined when nothing is planned. Asked after each step. */
  deadline(): number | undefined
  /** `wallNow` is the same moment in milliseconds since the epoch. Default `now`. */
  status(now: number, wallNow?: number): MachineStatus
  /** Of one watched list, by key; undefined when it is not watched. */
  serviceStatus(now: number, key: string): WatchStatus | undefined
  /** Where an instance of a list is known from, first of all where it was taken from. */
  origins(now: number, key: string, instance: Instance): readonly Origin[]
}

/**
 * Creates the machine of a client of one or more clusters; nothing happens before a `start` event. Each cluster
 * has its own machine, which knows nothing of the others: what one of them does or fails to do delays no message
 * of another. Here lists are merged and chosen from, registrations are put to each cluster, and calls that wait
 * are settled.
 */
export function createClientMachine(clusters: readonly MachineSettings[]): ClientMachine {
  if (clusters.length === 0) throw new RangeError('a client needs a cluster')
  return new ClustersMachine(clusters)
}

/** One cluster, and what is to be put to it. */
interface Member {
  readonly name: string
  readonly index: number
  readonly machine: ClusterMachine
  readonly offline: boolean
  queue: ClusterEvent[]
  /** When its machine wants to go on. */
  dueAt: number
  connected: boolean
  /** No longer awaited from then on, until it is connected. */
  awayAt: number
  mayAnswer: boolean
  /** Every node of it refuses the connection. */
  refused: boolean
}

/** A registration that is asked for, and where. */
interface Placed {
  readonly item: RegisterItem
  readonly clusters: readonly string[]
  readonly name: string
}

interface Registered {
  readonly name: string
  readonly clusters: readonly string[]
}

class ClustersMachine implements ClientMachine, Reach {
  private readonly settings: MachineSettings
  private readonly members: readonly Member[]
  private readonly byName: ReadonlyMap<string, Member>
  private readonly lists: WatchedLists
  private readonly registering: RegisterCalls
  private readonly rounds: Rounds
  private readonly registered = new Map<number, Registered>()
  /** Taken names, by cluster. */
  private readonly names = new Set<string>()
  /** The call that closes it, once there is one. */
  private closing: Token | undefined
  private closed = false

  constructor(clusters: readonly MachineSettings[]) {
    this.settings = clusters[0]!
    this.members = clusters.map((settings, index) => ({
      name: settings.cluster,
      index,
      machine: new ClusterMachine(settings),
      offline: settings.urls.length === 0,
      queue: [],
      dueAt: Number.POSITIVE_INFINITY,
      connected: false,
      awayAt: Number.POSITIVE_INFINITY,
      mayAnswer: settings.urls.length > 0,
      refused: false,
    }))
    this.byName = new Map(this.members.map((member) => [member.name, member]))
    const names = this.members.map(({ name }) => name)
    this.lists = new WatchedLists(this.settings, this, names)
    this.rounds = new Rounds(this, (cluster, event) => this.put(cluster, event))
    this.registering = new RegisterCalls(this.settings.times.pendingMs, this, (turn, handles) =>
      this.deregister(turn, undefined, handles),
    )
  }

  mayAnswer(cluster: string): boolean {
    return this.byName.get(cluster)?.mayAnswer ?? false
  }

  connected(cluster: string): boolean {
    return this.byName.get(cluster)?.connected ?? false
  }

  lastFailure(cluster: string): string | undefined {
    return this.byName.get(cluster)?.machine.lastFailure?.message
  }

  refusal(cluster: string): RegistryError | undefined {
    const error = this.byName.get(cluster)?.machine.refusal
    return error && ofCluster(cluster, error)
  }

  step(now: number, events: readonly ClientEvent[]): readonly ClientEffect[] {
    const effects: ClientEffect[] = []
    const turn: Turn = { now, emit: (effect) => effects.push(effect) }
    for (const event of events) this.handle(turn, event)
    if (this.closed) return effects
    this.run(turn)
    // What failed counts after the clusters have heard of it.
    for (const event of events) {
      if (event.type === 'failed' || event.type === 'trying' || event.type === 'succeeded')
        this.lists.called(turn, event)
    }
    this.registering.tick(turn)
    this.rounds.tick(turn)
    // A rejected registration is taken back.
    this.run(turn)
    this.lists.step(turn)
    if (this.closing !== undefined && !this.rounds.waits(this.closing)) {
      this.closed = true
      this.rounds.cancel(turn, closedError())
    }
    return effects
  }

  deadline(): number | undefined {
    if (this.closed) return undefined
    let due = Number.POSITIVE_INFINITY
    for (const { dueAt, mayAnswer, awayAt } of this.members)
      due = Math.min(due, dueAt, mayAnswer ? awayAt : dueAt)
    return earliest(
      due === Number.POSITIVE_INFINITY ? undefined : due,
      this.registering.deadline(),
      this.lists.deadline(),
    )
  }

  status(now: number, wallNow: number = now): MachineStatus {
    const clusters = this.members.map(({ machine }) => machine.status(now, wallNow))
    const rank = (state: string): number => ['connected', 'connecting', 'offline', 'closed'].indexOf(state)
    const best = [...clusters].sort((a, b) => rank(a.connection.state) - rank(b.connection.state))[0]!
    return {
      connection: best.connection,
      ...lastErrorOf(clusters),
      clusters,
      services: this.lists.status(now),
      registrations: this.registered.size,
    }
  }

  serviceStatus(now: number, key: string): WatchStatus | undefined {
    return this.lists.get(key)?.status(now)
  }

  origins(now: number, key: string, instance: Instance): readonly Origin[] {
    return this.lists.get(key)?.origins(now, instance) ?? []
  }

  private handle(turn: Turn, event: ClientEvent): void {
    if (this.closed || (this.closing !== undefined && 'token' in event)) return this.tooLate(turn, event)
    switch (event.type) {
      case 'start':
        for (const { name } of this.members) this.put(name, event)
        return
      case 'opened':
      case 'message':
      case 'closed':
        return this.pass(event)
      case 'register':
        return this.register(turn, event.token, event.items)
      case 'update': {
        const clusters = this.registered.get(event.handle)?.clusters ?? this.members.map(({ name }) => name)
        const build = (token: Token): ClusterEvent => ({ ...event, token })
        return this.rounds.call(turn, event.token, 'first', new Map(clusters.map((name) => [name, build])))
      }
      case 'deregister':
        return this.deregister(turn, event.token, event.handles)
      case 'abandon':
        return this.deregister(turn, undefined, this.registering.abandon(event.token))
      case 'watch': {
        const added = this.lists.add(turn, event)
        for (const [cluster, names] of added) this.put(cluster, { type: 'watch', names })
        return
      }
      case 'unwatch': {
        const { key } = event
        for (const cluster of this.lists.remove(turn, key, event.error))
          this.put(cluster, { type: 'unwatch', key })
        return
      }
      case 'snapshot':
        this.lists.loaded(event)
        return this.put(event.cluster, event)
      case 'failed':
        for (const name of this.lists.get(event.key)?.clusters ?? []) this.put(name, event)
        return
      case 'ready':
        return this.lists.ready(turn, event)
      case 'close':
        return this.close(turn, event.token)
      case 'tick':
      case 'trying':
      case 'succeeded':
        return
    }
  }

  /** Connections are numbered so that the number tells the cluster. */
  private pass(event: Extract<ClientEvent, { readonly connection: number }>): void {
    const { length } = this.members
    const member = this.members[event.connection % length]
    const connection = Math.floor(event.connection / length)
    if (member !== undefined) this.put(member.name, { ...event, connection })
  }

  private put(cluster: string, event: ClusterEvent): void {
    this.byName.get(cluster)?.queue.push(event)
  }

  /** Lets every cluster go on that has something to do. */
  private run(turn: Turn): void {
    for (const member of this.members) {
      const { machine, queue } = member
      if (queue.length > 0 || turn.now >= member.dueAt) {
        member.queue = []
        const effects = machine.step(turn.now, queue)
        member.dueAt = machine.deadline() ?? Number.POSITIVE_INFINITY
        this.look(turn, member)
        for (const effect of effects) this.absorb(turn, member, effect)
      } else if (member.mayAnswer && turn.now >= member.awayAt) this.look(turn, member)
    }
  }

  private absorb(turn: Turn, { name, index }: Member, effect: ClusterEffect): void {
    switch (effect.type) {
      case 'dial':
      case 'send':
      case 'drop':
        return turn.emit({ ...effect, connection: effect.connection * this.members.length + index })
      case 'log':
        return turn.emit({ ...effect, fields: { cluster: name, ...effect.fields } })
      case 'list':
        return this.lists.told(turn, name, effect)
      case 'resolve':
        return this.rounds.settled(turn, effect)
      case 'reject':
        return this.rounds.settled(turn, { ...effect, error: ofCluster(name, effect.error) })
      case 'registration': {
        turn.emit(effect)
        const { handle, state, error } = effect
        const why = error === undefined ? undefined : ofCluster(name, error)
        return this.registering.told(turn, handle, name, state, why)
      }
      default:
        return turn.emit(effect)
    }
  }

  /** Keeps track of which clusters can be waited for. */
  private look(turn: Turn, member: Member): void {
    const { connected: before, mayAnswer } = member
    member.connected = member.machine.connection.state === 'connected'
    if (before && !member.connected) this.lists.lost(turn, member.name)
    member.mayAnswer = this.isAwaited(turn, member)
    const refused = member.machine.refusal !== undefined
    if (mayAnswer !== member.mayAnswer || refused !== member.refused) this.lists.reachChanged()
    member.refused = refused
  }

  private isAwaited({ now }: Turn, member: Member): boolean {
    if (member.offline) return false
    if (member.connected) {
      member.awayAt = Number.POSITIVE_INFINITY
      return true
    }
    if (member.awayAt === Number.POSITIVE_INFINITY) member.awayAt = now + this.settings.times.headStartMs
    return now < member.awayAt && member.machine.failuresInRow < member.machine.round
  }

  private register(turn: Turn, token: Token | undefined, items: readonly RegisterItem[]): void {
    const all = this.members.map(({ name }) => name)
    const placed = items.map((item): Placed => {
      const clusters = item.clusters === undefined ? all : all.filter((name) => item.clusters?.has(name))
      return { item, clusters, name: nameOf(item.spec) }
    })
    const error = this.take(placed)
    if (error !== undefined) {
      if (token !== undefined) turn.emit({ type: 'reject', token, error })
      return
    }
    const perCluster = new Map<string, ClusterItem[]>(all.map((name) => [name, []]))
    for (const { item, clusters, name } of placed) {
      const { handle, intent } = item
      // One number everywhere: it is one intent of one process.
      const incarnation = this.settings.incarnations.next()
      this.registered.set(handle, { name, clusters })
      for (const cluster of clusters) {
        const spec = { ...item.spec, ...item.clusters?.get(cluster) }
        perCluster.get(cluster)!.push({ handle, spec, intent, incarnation })
      }
    }
    for (const [cluster, own] of perCluster)
      if (own.length > 0) this.put(cluster, { type: 'register', items: own })
    const clustersOf = new Map(placed.map(({ item, clusters }) => [item.handle, clusters]))
    if (token !== undefined) this.registering.open(turn, token, clustersOf)
  }

  /** Takes the names of registrations in their clusters: all of them, or none and returns why. */
  private take(placed: readonly Placed[]): RegistryError | undefined {
    const taken: string[] = []
    for (const { item, clusters, name } of placed) {
      for (const cluster of clusters) {
        const full = `${cluster}\n${name}`
        if (!this.names.has(full)) {
          this.names.add(full)
          taken.push(full)
          continue
        }
        for (const other of taken) this.names.delete(other)
        const { service, id } = item.spec
        const message = `${service} ${id} is registered in ${cluster} by this client already`
        return new RegistryFailure('id_taken', message)
      }
    }
    return undefined
  }

  /** Takes registrations back in every cluster at once. */
  private deregister(turn: Turn, token: Token | undefined, handles: readonly number[]): void {
    const perCluster = new Map<string, number[]>()
    for (const handle of handles) {
      const known = this.registered.get(handle)
      if (known === undefined) continue
      this.registered.delete(handle)
      for (const cluster of known.clusters) {
        this.names.delete(`${cluster}\n${known.name}`)
        const own = perCluster.get(cluster) ?? []
        own.push(handle)
        perCluster.set(cluster, own)
      }
    }
    this.registering.withdraw(turn, handles)
    const events = [...perCluster].map(([cluster, own]): [string, (token: Token) => ClusterEvent] => [
      cluster,
      (each) => ({ type: 'deregister', token: each, handles: own }),
    ])
    this.rounds.call(turn, token, 'all', new Map(events))
  }

  /** Deregistrations under way go on: they are part of leaving. */
  private close(turn: Turn, token: Token): void {
    this.registering.cancel(turn, closedError())
    this.rounds.cancel(turn, closedError(), 'first')
    this.lists.cancel(turn, closedError())
    this.closing = token
    const build = (each: Token): ClusterEvent => ({ type: 'close', token: each })
    this.rounds.call(turn, token, 'all', new Map(this.members.map(({ name }) => [name, build])))
  }

  private tooLate(turn: Turn, event: ClientEvent): void {
    if (!('token' in event) || event.token === undefined) return
    const { type, token } = event
    turn.emit(type === 'close' ? { type: 'resolve', token } : { type: 'reject', token, error: closedError() })
  }
}

/** The last failure among those of the clusters. */
function lastErrorOf(clusters: readonly ClusterStatus[]): Pick<MachineStatus, 'lastError'> {
  const errors = clusters.flatMap(({ connection }) =>
    'lastError' in connection ? [connection.lastError] : [],
  )
  const [lastError] = errors.sort((a, b) => b.at - a.at)
  return lastError === undefined ? {} : { lastError }
}
