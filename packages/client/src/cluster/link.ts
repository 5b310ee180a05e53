/** The stream to one cluster. */
import type { ClientMessage, ErrorBody, RegistryError, ServerMessage, WelcomeMessage } from '@rollcall/wire'
import { CLOSE_CODES } from '@rollcall/wire'
import type { BatchLimits } from './batches.js'
import { CAUTIOUS_LIMITS } from './batches.js'
import { earliest } from '../machine/deadlines.js'
import type { ClusterTurn } from './events.js'
import type { MachineSettings } from '../machine/settings.js'
import type { LinkStatus } from '../machine/status.js'
import { type ConnectionEnd, type Failure, Trouble } from './trouble.js'

/** One connection: dialing until `open`, then `welcomed` when the node has answered the hello. */
interface Connection {
  readonly id: number
  readonly url: string
  readonly since: number
  phase: 'dialing' | 'open' | 'welcomed'
  lastSentAt: number
  lastHeardAt: number
  lastPingAt: number
  welcome?: WelcomeMessage
  island: boolean
  /** Asked to leave by the node. */
  leaving: boolean
}

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

/** Bounds of what a node may ask for: a ping too often is a flood, one too rarely leaves a dead stream undetected. */
const PING_MS_MIN = 10
const PING_MS_MAX = 60_000

/**
 * Keeps one stream to the cluster: dials, retries, rotates over the nodes, watches for silence. At most two
 * connections matter at a time: the active one, and while changing nodes a successor, which takes over when
 * it was welcomed; the one before then retires as soon as the machine says that all is re-established.
 */
export class Link {
  private readonly settings: MachineSettings
  private readonly listener: LinkListener
  private active: Connection | undefined
  private successor: Connection | undefined
  private retiring: Connection | undefined
  private nextId = 1
  private cursor: number
  private failures = 0
  private dialAt: number | undefined
  private successorAt: number | undefined
  private hurried = false
  private readonly trouble = new Trouble()
  private known: BatchLimits = CAUTIOUS_LIMITS

  constructor(settings: MachineSettings, listener: LinkListener) {
    this.settings = settings
    this.listener = listener
    this.cursor = Math.floor(settings.random() * settings.urls.length)
  }

  /** Whether messages can be sent now. */
  get usable(): boolean {
    return this.active !== undefined && this.active.phase !== 'dialing'
  }

  /** Attempts in a row that led nowhere. */
  get failuresInRow(): number {
    return this.failures
  }

  /** Bounds of messages to the node. */
  get limits(): BatchLimits {
    return this.known
  }

  /** Why every node refuses the connection; undefined while one of them may take it. */
  get refusal(): RegistryError | undefined {
    const { refusals, refused } = this.trouble
    return refusals < this.settings.urls.length ? undefined : refused
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
    return { state: 'connected', url, node: welcome.node, cluster: welcome.cluster, island, failures }
  }

  start(turn: ClusterTurn): void {
    if (this.settings.urls.length > 0) this.dialActive(turn)
  }

  /** From now on attempts follow each other at once: the caller has little time left, and ends it. */
  hurry(turn: ClusterTurn): void {
    this.hurried = true
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
    this.sendOn(turn, connection, { type: 'hello', client: agent, namespace })
    // Registrations and watches follow the hello at once: a round trip less without a registry.
    if (connection === this.active) this.listener.up(turn)
  }

  closed(turn: ClusterTurn, id: number, code: number | undefined, reason: string, refusal?: ErrorBody): void {
    const connection = this.find(id)
    if (connection !== undefined) this.lost(turn, connection, { code, reason, refusal })
  }

  /** Handles what concerns the connection itself; true when the rest of the machine should see the message. */
  message(turn: ClusterTurn, id: number, message: ServerMessage): boolean {
    const connection = this.find(id)
    if (connection === undefined) return false
    connection.lastHeardAt = turn.now
    if (message.type === 'welcome') this.welcomed(turn, connection, message)
    else if (message.type === 'pong') this.islandHint(turn, connection, message.island)
    else if (message.type === 'goaway') this.goaway(turn, connection, message.reason, message.afterMs)
    return connection === this.active
  }

  /** All is said again on the active connection: the one before may go. */
  retire(turn: ClusterTurn): void {
    if (this.retiring === undefined) return
    this.drop(turn, this.retiring, 'moved')
    this.retiring = undefined
  }

  tick(turn: ClusterTurn): void {
    const { now } = turn
    for (const connection of this.connections()) this.watchdog(turn, connection)
    if (this.dialAt !== undefined && now >= this.dialAt) this.dialActive(turn)
    if (this.successorAt !== undefined && now >= this.successorAt) this.dialSuccessor(turn)
    const { retiring } = this
    if (retiring !== undefined && now >= this.retireBy()) this.retire(turn)
  }

  deadline(): number | undefined {
    const watchdogs = this.connections().map((connection) =>
      connection.phase === 'welcomed'
        ? Math.min(this.pingAt(connection), this.silentAt(connection))
        : connection.since + this.settings.times.dialTimeoutMs,
    )
    return earliest(...watchdogs, this.dialAt, this.successorAt, this.retiring && this.retireBy())
  }

  /** Drops everything for good. */
  close(turn: ClusterTurn): void {
    for (const connection of this.connections()) this.drop(turn, connection, 'closed')
    this.active = undefined
    this.successor = undefined
    this.retiring = undefined
    this.dialAt = undefined
    this.successorAt = undefined
  }

  private watchdog(turn: ClusterTurn, connection: Connection): void {
    const { now } = turn
    if (connection.phase !== 'welcomed') {
      if (now >= connection.since + this.settings.times.dialTimeoutMs)
        this.abandon(turn, connection, 'no answer in time')
      return
    }
    const pingMs = this.pingMs(connection)
    const silentAt = this.silentAt(connection)
    // Much too late: this process stood still, and what arrived meanwhile is not read yet. Ask once more.
    if (now >= silentAt + pingMs)
      connection.lastHeardAt = now - (this.settings.times.silencePings - 1) * pingMs
    else if (now >= silentAt) return this.abandon(turn, connection, 'silent')
    if (now < this.pingAt(connection)) return
    connection.lastPingAt = now
    this.sendOn(turn, connection, { type: 'ping' })
  }

  private abandon(turn: ClusterTurn, connection: Connection, reason: string): void {
    this.drop(turn, connection, reason)
    this.lost(turn, connection, { reason })
  }

  private lost(turn: ClusterTurn, connection: Connection, end: ConnectionEnd): void {
    const { now } = turn
    const { code, reason, refusal } = end
    const fields = { url: connection.url, reason, ...(code === undefined ? {} : { code }) }
    if (connection === this.retiring) {
      this.retiring = undefined
      return
    }
    if (connection === this.successor) {
      this.successor = undefined
      turn.emit({ type: 'log', level: 'debug', fields, message: 'no session elsewhere yet' })
      if (this.active?.leaving === true) this.successorAt = now + this.backoff(2)
      else this.successorAt = now + this.jitter(this.settings.times.islandRetryMs)
      return
    }
    const sound = connection.phase === 'welcomed' && now - connection.since >= this.settings.times.stableMs
    const isNews = connection.phase === 'welcomed' || this.failures === 0 || this.trouble.isNew(refusal)
    const level = isNews ? 'warn' : 'debug'
    if (isNews) this.trouble.warn()
    turn.emit({ type: 'log', level, fields, message: endText(connection, refusal) })
    this.failures = sound ? 1 : this.failures + 1
    // A node that turned this client away has its reasons: no free attempts.
    if (code === CLOSE_CODES.limit || code === CLOSE_CODES.protocol) {
      this.failures = Math.max(this.failures, this.settings.urls.length + 1)
    }
    this.active = undefined
    if (connection.phase !== 'dialing') this.listener.down(turn)
    this.trouble.ended(connection.url, end, now)
    if (refusal !== undefined && this.refusal !== undefined) this.listener.refused(turn, this.refusal)
    if (this.successor !== undefined) return this.promote(turn, this.successor)
    this.successorAt = undefined
    this.dialAt = now + this.backoff(this.failures - this.settings.urls.length)
  }

  private welcomed(turn: ClusterTurn, connection: Connection, welcome: WelcomeMessage): void {
    // Once is enough; a node that goes on welcoming changes nothing.
    if (connection.phase === 'welcomed') return
    // Where its loss was told, so is its return: as loudly, and once.
    const level = this.trouble.over() ? 'warn' : 'info'
    connection.phase = 'welcomed'
    connection.welcome = welcome
    connection.island = welcome.island
    const { url } = connection
    const { node, cluster, island } = welcome
    turn.emit({
      type: 'log',
      level,
      fields: { url, node, cluster, island },
      message: 'registry connected',
    })
    if (connection === this.active) {
      this.known = limitsOf(welcome)
      this.islandHint(turn, connection, welcome.island)
    } else if (connection === this.successor) {
      const better = this.active?.leaving === true || !welcome.island
      if (better) return this.promote(turn, connection)
      this.drop(turn, connection, 'an island too')
      this.successor = undefined
      this.successorAt = turn.now + this.jitter(this.settings.times.islandRetryMs)
    }
  }

  private promote(turn: ClusterTurn, connection: Connection): void {
    if (this.active !== undefined) this.listener.down(turn)
    this.retire(turn)
    this.retiring = this.active
    this.active = connection
    this.successor = undefined
    this.successorAt = undefined
    this.dialAt = undefined
    if (connection.welcome !== undefined) this.known = limitsOf(connection.welcome)
    if (connection.phase !== 'dialing') this.listener.up(turn)
  }

  private islandHint(turn: ClusterTurn, connection: Connection, island: boolean): void {
    connection.island = island
    if (connection !== this.active || this.settings.urls.length < 2 || connection.leaving) return
    if (!island) this.successorAt = undefined
    else if (this.successor === undefined) this.successorAt ??= turn.now + this.settings.random() * 1_000
  }

  private goaway(turn: ClusterTurn, connection: Connection, reason: string, afterMs: number): void {
    if (connection !== this.active) return
    turn.emit({
      type: 'log',
      level: 'info',
      fields: { url: connection.url, reason, afterMs },
      message: 'asked to move',
    })
    connection.leaving = true
    // A cluster that sends all its clients away at once is not followed around at the speed of the network.
    const young = turn.now - connection.since < this.settings.times.stableMs
    this.failures = young ? this.failures + 1 : 0
    const pause = this.backoff(this.failures - this.settings.urls.length)
    // Spread over most of the time given: the last fifth is for the dialing itself.
    if (this.successor === undefined)
      this.successorAt = turn.now + Math.max(pause, this.settings.random() * Math.max(0, afterMs) * 0.8)
  }

  private dialActive(turn: ClusterTurn): void {
    this.dialAt = undefined
    this.active = this.dial(turn)
  }

  private dialSuccessor(turn: ClusterTurn): void {
    this.successorAt = undefined
    if (this.active !== undefined && this.successor === undefined) this.successor = this.dial(turn)
  }

  private dial(turn: ClusterTurn): Connection {
    const { urls } = this.settings
    let url = urls[this.cursor++ % urls.length]!
    if (url === this.active?.url) url = urls[this.cursor++ % urls.length]!
    const connection: Connection = {
      id: this.nextId++,
      url,
      since: turn.now,
      phase: 'dialing',
      lastSentAt: turn.now,
      lastHeardAt: turn.now,
      lastPingAt: turn.now,
      island: false,
      leaving: false,
    }
    turn.emit({ type: 'dial', connection: connection.id, url })
    return connection
  }

  private sendOn(turn: ClusterTurn, connection: Connection, message: ClientMessage): void {
    connection.lastSentAt = turn.now
    turn.emit({ type: 'send', connection: connection.id, message })
  }

  private drop(turn: ClusterTurn, connection: Connection, reason: string): void {
    turn.emit({ type: 'drop', connection: connection.id, code: NORMAL, reason })
  }

  /** Wait before the attempt after `failures` of them; nothing up to 0, then full jitter under a doubling ceiling. */
  private backoff(failures: number): number {
    if (failures <= 0 || this.hurried) return 0
    const { retryMsMin, retryMsMax } = this.settings.times
    const ceiling = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 30))
    return retryMsMin + this.settings.random() * Math.max(0, ceiling - retryMsMin)
  }

  private jitter(ms: number): number {
    return ms * (0.8 + 0.4 * this.settings.random())
  }

  private pingMs(connection: Connection): number {
    return Math.min(PING_MS_MAX, Math.max(PING_MS_MIN, connection.welcome?.pingMs ?? 0))
  }

  /** So that the node hears this client, and this client the node: much of what it says is never answered. */
  pingAt(connection: Connection): number {
    const { lastSentAt, lastHeardAt, lastPingAt } = connection
    return Math.min(lastSentAt, Math.max(lastHeardAt, lastPingAt)) + this.pingMs(connection)
  }

  private silentAt(connection: Connection): number {
    return connection.lastHeardAt + this.settings.times.silencePings * this.pingMs(connection)
  }

  private retireBy(): number {
    return (this.active?.since ?? 0) + this.settings.times.closeMs
  }

  private connections(): Connection[] {
    return [this.active, this.successor, this.retiring].filter((connection) => connection !== undefined)
  }

  private find(id: number): Connection | undefined {
    return this.connections().find((connection) => connection.id === id)
  }
}

/** How the end of a connection is told. */
function endText({ phase }: Connection, refusal: ErrorBody | undefined): string {
  if (refusal !== undefined) return 'registry refuses the connection'
  return phase === 'dialing' ? 'registry not reached' : 'registry connection lost'
}

function limitsOf(welcome: WelcomeMessage): BatchLimits {
  return {
    batchItemsMax: Math.max(1, welcome.batchItemsMax),
    frameBytesMax: Math.max(1, welcome.frameBytesMax),
  }
}
