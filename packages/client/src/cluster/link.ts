/** The stream to one cluster. */
import {
  type ClientMessage,
  CLOSE_CODES,
  type ErrorBody,
  type GoawayMessage,
  MOVED_REASON,
  type RegistryError,
  type ServerMessage,
  type WelcomeMessage,
} from '@rollcall/wire'
import type { BatchLimits } from './batches.js'
import { CAUTIOUS_LIMITS, limitsOf } from './batches.js'
import { type NodeConnection, dialed, pingAt, pingMsOf, silenceEndsAt } from './node-connection.js'
import { earliest } from '../machine/deadlines.js'
import type { ClusterTurn } from './events.js'
import type { MachineSettings } from '../machine/settings.js'
import type { LinkStatus } from '../machine/status.js'
import { Moving } from './moving.js'
import { Nodes } from './nodes.js'
import { LinkPauses } from './pauses.js'
import { type ConnectionEnd, type Failure, Trouble } from './trouble.js'

/** What the link tells the machine. */
export interface LinkListener {
  /** The active connection takes messages: say everything again. */
  up(turn: ClusterTurn): void
  /** The active connection is gone. */
  down(turn: ClusterTurn): void
  /** Every node refuses the connection. */
  refused(turn: ClusterTurn, error: RegistryError): void
}

const NORMAL = 1000

/**
 * Keeps one stream to the cluster: dials, retries, rotates over the nodes, watches for silence. At most two
 * connections matter at a time: the active one, and while changing nodes a successor, which takes over when
 * it was welcomed; the one before then retires as soon as the machine says that all is re-established.
 */
export class Link {
  private readonly settings: MachineSettings
  private readonly listener: LinkListener
  private active: NodeConnection | undefined
  private successor: NodeConnection | undefined
  private retiring: NodeConnection | undefined
  private nextId = 1
  private readonly nodes: Nodes
  private failures = 0
  private dialAt: number | undefined
  private readonly pauses: LinkPauses
  private readonly moving: Moving
  private readonly trouble = new Trouble()
  private known: BatchLimits = CAUTIOUS_LIMITS

  constructor(settings: MachineSettings, listener: LinkListener) {
    this.settings = settings
    this.listener = listener
    this.nodes = new Nodes(settings)
    this.pauses = new LinkPauses(settings)
    this.moving = new Moving(this.nodes, this.pauses)
  }

  /** Whether messages can be sent now. */
  get usable(): boolean {
    return this.active?.ready === true
  }

  /** Attempts in a row that led nowhere. */
  get failuresInRow(): number {
    return this.failures
  }

  /** Attempts that try every node which deserves one. */
  get round(): number {
    return this.nodes.round
  }

  /** Bounds of messages to the node. */
  get limits(): BatchLimits {
    return this.known
  }

  /** Why every node refuses the connection; undefined while one of them may take it. */
  get refusal(): RegistryError | undefined {
    const { refusals, refused } = this.trouble
    return refusals < this.nodes.round ? undefined : refused
  }

  /** The last failure of a connection, also when it is over. */
  get lastFailure(): Failure | undefined {
    return this.trouble.last
  }

  get status(): LinkStatus {
    const { active, failures, trouble } = this
    const error = trouble.refused && { error: trouble.refused }
    if (active === undefined)
      return { state: this.settings.urls.length === 0 ? 'offline' : 'connecting', failures, ...error }
    const { welcome, url, island } = active
    if (welcome === undefined) return { state: 'connecting', url, failures, ...error }
    const { learnt } = this.nodes
    const { node, cluster } = welcome
    return {
      state: 'connected',
      url,
      node,
      cluster,
      island,
      ...(learnt.length === 0 ? {} : { nodes: learnt }),
      failures,
    }
  }

  start(turn: ClusterTurn): void {
    if (this.settings.urls.length > 0) this.dialActive(turn)
  }

  /** From now on attempts follow each other at once: the caller has little time left, and ends it. */
  hurry(turn: ClusterTurn): void {
    this.pauses.hurried = true
    if (this.dialAt !== undefined) this.dialAt = turn.now
  }

  /** Sends on the active connection; the caller checks `usable`. */
  send(turn: ClusterTurn, message: ClientMessage): void {
    if (this.active !== undefined) this.sendOn(turn, this.active, message)
  }

  opened(turn: ClusterTurn, id: number): void {
    const connection = this.find(id)
    if (connection === undefined || connection.phase !== 'dialing') return
    connection.phase = 'open'
    connection.lastHeardAt = turn.now
    const { agent, namespace } = this.settings
    this.sendOn(turn, connection, { type: 'hello', client: agent, namespace, parts: true })
    // Registrations and watches follow the hello at once: a round trip less without a registry.
    if (connection === this.active && this.nodes.isSure(connection.url)) this.up(turn, connection)
  }

  closed(turn: ClusterTurn, id: number, code: number | undefined, reason: string, refusal?: ErrorBody): void {
    const ended = this.find(id)
    if (ended !== undefined) this.lost(turn, ended, { code, reason, refusal })
  }

  /** Handles what concerns the connection itself; true when the rest of the machine should see the message. */
  message(turn: ClusterTurn, id: number, message: ServerMessage): boolean {
    const connection = this.find(id)
    if (connection === undefined) return false
    connection.lastHeardAt = turn.now
    if (message.type === 'welcome') this.welcomed(turn, connection, message)
    else if (message.type === 'pong') this.islandHint(turn, connection, message.island)
    else if (message.type === 'goaway') this.goaway(turn, connection, message)
    else if (message.type === 'nodes' && connection === this.active) this.named(connection, message.nodes)
    return connection === this.active
  }

  /** All is said again on the active connection: the one before may go. */
  retire(turn: ClusterTurn): void {
    if (this.retiring === undefined) return
    this.drop(turn, this.retiring, MOVED_REASON)
    this.retiring = undefined
  }

  tick(turn: ClusterTurn): void {
    const { now } = turn
    for (const connection of this.connections()) this.watchdog(turn, connection)
    if (this.dialAt !== undefined && now >= this.dialAt) this.dialActive(turn)
    if (this.moveAt !== undefined && now >= this.moveAt) this.dialSuccessor(turn)
    const { retiring } = this
    if (retiring !== undefined && now >= this.retireBy()) this.retire(turn)
  }

  deadline(): number | undefined {
    const watchdogs = this.connections().map((each) =>
      each.phase === 'welcomed' ? Math.min(this.pingAt(each), this.silentAt(each)) : each.welcomeBy,
    )
    return earliest(...watchdogs, this.dialAt, this.moveAt, this.retiring && this.retireBy())
  }

  /** Drops everything for good. */
  close(turn: ClusterTurn): void {
    for (const connection of this.connections()) this.drop(turn, connection, 'closed')
    this.active = undefined
    this.successor = undefined
    this.retiring = undefined
    this.dialAt = undefined
    this.moving.over()
  }

  private watchdog(turn: ClusterTurn, connection: NodeConnection): void {
    const { now } = turn
    if (connection.phase !== 'welcomed') {
      if (now < connection.welcomeBy) return
      this.pauses.unanswered++
      return this.abandon(turn, connection, 'no answer in time')
    }
    const pingMs = pingMsOf(connection)
    const silentAt = this.silentAt(connection)
    // Much too late: this process stood still, and what arrived meanwhile is not read yet. Ask once more.
    if (now >= silentAt + pingMs)
      connection.lastHeardAt = now - (this.settings.times.silencePings - 1) * pingMs
    else if (now >= silentAt) return this.abandon(turn, connection, 'silent')
    if (now < this.pingAt(connection)) return
    connection.lastPingAt = now
    this.sendOn(turn, connection, { type: 'ping' })
  }

  /** The node may hear this client still: by default it is told that what was registered there lives, and goes elsewhere. */
  private abandon(turn: ClusterTurn, connection: NodeConnection, reason: string, said = MOVED_REASON): void {
    this.drop(turn, connection, said)
    this.lost(turn, connection, { reason })
  }

  private lost(turn: ClusterTurn, connection: NodeConnection, end: ConnectionEnd): void {
    const { now } = turn
    const { code, reason, refusal } = end
    const fields = { url: connection.url, reason, ...(code === undefined ? {} : { code }) }
    if (connection === this.retiring) {
      this.retiring = undefined
      return
    }
    if (connection.phase !== 'welcomed') this.nodes.failed(connection.url)
    if (connection === this.successor) {
      turn.emit({ type: 'log', level: 'debug', fields, message: 'no session elsewhere yet' })
      return this.stay(turn)
    }
    const sound = connection.phase === 'welcomed' && now - connection.since >= this.settings.times.stableMs
    const isNews = connection.phase === 'welcomed' || this.failures === 0 || this.trouble.isNew(refusal)
    const level = isNews ? 'warn' : 'debug'
    if (isNews) this.trouble.warn()
    turn.emit({ type: 'log', level, fields, message: endText(connection, refusal) })
    this.failures = sound ? 1 : this.failures + 1
    // A node that turned this client away has its reasons: no free attempts.
    if (code === CLOSE_CODES.limit || code === CLOSE_CODES.protocol)
      this.failures = Math.max(this.failures, this.nodes.round + 1)
    this.active = undefined
    if (connection.ready) this.listener.down(turn)
    this.trouble.ended(connection.url, end, now)
    if (refusal !== undefined && this.refusal !== undefined) this.listener.refused(turn, this.refusal)
    if (this.successor !== undefined) return this.promote(turn, this.successor)
    this.moving.over()
    this.dialAt = now + this.pauses.backoff(this.failures - this.nodes.round)
  }

  private welcomed(turn: ClusterTurn, connection: NodeConnection, welcome: WelcomeMessage): void {
    // Once is enough; a node that goes on welcoming changes nothing.
    if (connection.phase === 'welcomed') return
    const { url } = connection
    const { node, cluster, island } = welcome
    const { cluster: expected } = this.nodes
    if (!this.nodes.accepts(url, cluster)) return this.leaveStranger(turn, connection, cluster)
    if (expected !== undefined && expected !== cluster) {
      const fields = { url, before: expected, cluster }
      turn.emit({ type: 'log', level: 'warn', fields, message: 'the cluster has another name now' })
    }
    // Where its loss was told, so is its return: as loudly, and once.
    const level = this.trouble.over() ? 'warn' : 'info'
    connection.phase = 'welcomed'
    connection.welcome = welcome
    connection.island = island
    this.nodes.welcomed(url)
    this.pauses.unanswered = 0
    turn.emit({ type: 'log', level, fields: { url, node, cluster, island }, message: 'registry connected' })
    if (connection === this.active) {
      this.settle(turn, connection, welcome)
      this.islandHint(turn, connection, island)
    } else if (connection === this.successor) {
      if (this.moving.isBetter(welcome, this.active)) return this.promote(turn, connection)
      this.drop(turn, connection, 'no better')
      this.nodes.failed(url)
      this.stay(turn)
    }
  }

  /** A node of another cluster than the one that welcomed this client first: its lists would replace those of this one. */
  private leaveStranger(turn: ClusterTurn, connection: NodeConnection, cluster: string): void {
    const { url } = connection
    const reason = `it is a node of ${JSON.stringify(cluster.slice(0, 128))}, not of ${this.nodes.cluster}`
    if (this.trouble.isStranger(url, cluster)) {
      const fields = { url, reason }
      turn.emit({
        type: 'log',
        level: 'warn',
        fields,
        message: 'another cluster answers: its node is not used',
      })
    }
    this.trouble.ended(url, { reason }, turn.now)
    this.abandon(turn, connection, reason, reason)
  }

  private promote(turn: ClusterTurn, connection: NodeConnection): void {
    if (this.active?.ready === true) this.listener.down(turn)
    this.retire(turn)
    this.retiring = this.active
    this.active = connection
    this.successor = undefined
    this.moving.over()
    this.dialAt = undefined
    if (connection.welcome !== undefined) this.settle(turn, connection, connection.welcome)
    else if (connection.phase === 'open' && this.nodes.isSure(connection.url)) this.up(turn, connection)
  }

  /** The client is with this node now. */
  private settle(turn: ClusterTurn, connection: NodeConnection, welcome: WelcomeMessage): void {
    this.known = limitsOf(welcome)
    this.nodes.settled(connection.url)
    this.named(connection, welcome.nodes ?? [])
    if (!connection.ready) this.up(turn, connection)
  }

  private up(turn: ClusterTurn, connection: NodeConnection): void {
    connection.ready = true
    this.listener.up(turn)
  }

  private stay({ now }: ClusterTurn): void {
    this.successor = undefined
    this.moving.failed(now, this.active)
  }

  private named(connection: NodeConnection, nodes: readonly string[]): void {
    connection.named = nodes
    this.nodes.learn(connection.url, nodes, connection.island)
  }

  private islandHint({ now }: ClusterTurn, connection: NodeConnection, island: boolean): void {
    const isBack = connection.island && !island && connection === this.active
    connection.island = island
    if (isBack) this.named(connection, connection.named)
    if (connection === this.active && this.successor === undefined) this.moving.hinted(now, connection)
  }

  private goaway(turn: ClusterTurn, connection: NodeConnection, message: GoawayMessage): void {
    if (connection !== this.active) return
    const { type: _, ...fields } = { ...message, url: connection.url }
    turn.emit({ type: 'log', level: 'info', fields, message: 'asked to move' })
    // A cluster that sends all its clients away at once is not followed around at the speed of the network.
    const young = turn.now - connection.since < this.settings.times.stableMs
    this.failures = young ? this.failures + 1 : 0
    this.moving.asked(turn.now, connection, message, this.pauses.backoff(this.failures - this.nodes.round))
  }

  private dialActive(turn: ClusterTurn): void {
    this.dialAt = undefined
    this.active = this.dial(turn, this.nodes.next(false))
  }

  /** When a session elsewhere is to be opened; one at a time. */
  private get moveAt(): number | undefined {
    return this.successor === undefined ? this.moving.at : undefined
  }

  private dialSuccessor(turn: ClusterTurn): void {
    this.successor = this.dial(turn, this.moving.begin())
  }

  private dial(turn: ClusterTurn, url: string): NodeConnection {
    const timeoutMs = this.pauses.dialTimeoutMs(this.nodes.round)
    const connection = dialed(this.nextId++, url, turn.now, timeoutMs)
    turn.emit({ type: 'dial', cluster: this.settings.cluster, connection: connection.id, url })
    return connection
  }

  private sendOn(turn: ClusterTurn, connection: NodeConnection, message: ClientMessage): void {
    connection.lastSentAt = turn.now
    turn.emit({ type: 'send', connection: connection.id, message })
  }

  private drop(turn: ClusterTurn, connection: NodeConnection, reason: string): void {
    turn.emit({ type: 'drop', connection: connection.id, code: NORMAL, reason })
  }

  pingAt(connection: NodeConnection): number {
    return pingAt(connection)
  }

  private silentAt(connection: NodeConnection): number {
    return silenceEndsAt(connection, this.settings.times.silencePings)
  }

  private retireBy(): number {
    return (this.active?.since ?? 0) + this.settings.times.closeMs
  }

  private connections(): NodeConnection[] {
    return [this.active, this.successor, this.retiring].filter((connection) => connection !== undefined)
  }

  private find(id: number): NodeConnection | undefined {
    return this.connections().find((connection) => connection.id === id)
  }
}

/** How the end of a connection is told. */
function endText({ phase }: NodeConnection, refusal: ErrorBody | undefined): string {
  if (refusal !== undefined) return 'registry refuses the connection'
  return phase === 'dialing' ? 'registry not reached' : 'registry connection lost'
}
