/**
 * A stream session as a step function over messages: it knows no socket and no time but the injected clock, so
 * that a memory transport can drive it. docs/protocol.md is the reference of what it says.
 */
import type {
  Caller,
  Clock,
  Logger,
  Meter,
  RefusalLog,
  Registry,
  Session,
  Subscription,
  Update,
} from '@rollcall/core'
import {
  CLOSE_CODES,
  DEFAULTS,
  errorBody,
  MOVED_REASON,
  RegistryError,
  type ClientMessage,
  type ServerMessage,
} from '@rollcall/wire'
import { isJsonObject, readAck, readHello } from '@rollcall/wire/schemas'
import { toErrorBody } from '../../http/errors.js'
import type { Body, ViewBodies, ViewBody } from '../../http/view-bodies.js'
import type { ResolvedOptions } from '../options.js'
import type { NodeIdentity } from './deps.js'
import { answers, type Conversation, lookUp, takeHint } from './messages.js'

export interface StreamSessionDeps {
  readonly registry: Registry
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly refusals: RefusalLog
  readonly node: NodeIdentity
  readonly views: ViewBodies
}

/** The way to the client. Nothing in here waits, nor throws but `limit_exceeded` for a list that the client has no room for. */
export interface StreamTransport {
  /** Sends a message to this client alone. */
  send(message: ServerMessage): void
  /** Sends the answer to a lookup, whose view is encoded already; with the number of its request, if it has one. */
  sendFound(view: Body, req: number | undefined): void
  /** Sends a publication. Subscribers of one view get the same object, to be encoded once. */
  push(update: Update): void
  /** Says goodbye. What was sent before arrives before. */
  close(code: number, reason: string): void
  /** A request under way has ended; `inFlight` is smaller now. */
  settled(): void
}

/** One client on a stream. */
export interface StreamSession {
  /** Requests that were received and not yet answered. */
  readonly inFlight: number
  /** A message arrived; the parsed JSON as it came. */
  receive(message: unknown): void
  /** Something arrived that is not JSON. */
  receiveGarbage(reason: string): void
  /** Any other sign of life: a ping frame, or a message that has to wait. */
  heard(): void
  /** The transport holds as much as it may; call `drained` when it is empty again. */
  stalled(): void
  drained(): void
  /** Asks the client to go elsewhere within `afterMs`, where `to` has room. False before its hello and after the end. */
  goaway(reason: string, afterMs: number, to?: string): boolean
  /** Tells the client which nodes it may use now, unless it was told the same before. */
  nodesChanged(): void
  /** The connection ended, from either side; `reason`: what the client closed it with. Idempotent. */
  end(reason?: string): void
}

/** Begins a session; the client has to say hello within `helloMsMax`. */
export function createStreamSession(
  deps: StreamSessionDeps,
  options: ResolvedOptions,
  transport: StreamTransport,
  caller: Caller,
): StreamSession {
  return new NativeSession(deps, options, transport, caller)
}

/** Messages that have no place in the table of answers. */
const SILENT: ReadonlySet<string> = new Set(['hello', 'ack', 'hint', 'lookup'])

type Phase = 'greeting' | 'open' | 'ended'

class NativeSession implements StreamSession, Conversation {
  readonly registry: Registry
  readonly node: NodeIdentity
  readonly views: ViewBodies
  readonly options: ResolvedOptions
  readonly watched = new Set<string>()
  namespace: string = DEFAULTS.namespace
  byParts = false
  inFlight = 0
  private readonly deps: StreamSessionDeps
  private readonly transport: StreamTransport
  /** The client; with its session once that is open. */
  caller: Caller
  private phase: Phase = 'greeting'
  private session: Session | undefined
  private subscription: Subscription | undefined
  private full = false
  private nodesTold: readonly string[] = []
  private readonly cancelHello: () => void

  constructor(deps: StreamSessionDeps, options: ResolvedOptions, transport: StreamTransport, caller: Caller) {
    this.deps = deps
    this.registry = deps.registry
    this.views = deps.views
    this.node = deps.node
    this.options = options
    this.transport = transport
    this.caller = caller
    this.cancelHello = deps.clock.setTimer(options.helloMsMax, () =>
      this.fault('no hello within the time allowed'),
    )
  }

  receive(message: unknown): void {
    if (this.phase === 'ended') return
    this.heard()
    if (!isJsonObject(message) || typeof message['type'] !== 'string') {
      this.fault('every message is a JSON object with a type')
      return
    }
    const { type } = message
    const known = Object.hasOwn(answers, type) || SILENT.has(type)
    this.deps.meter.count('rollcall_messages_received_total', 1, known ? type : 'unknown')
    if (this.phase === 'greeting') this.greet(type, message)
    else this.answer(type, message)
  }

  receiveGarbage(reason: string): void {
    this.fault(reason)
  }

  heard(): void {
    this.session?.heard()
  }

  stalled(): void {
    this.full = true
    this.subscription?.stalled()
  }

  drained(): void {
    this.full = false
    this.subscription?.drained()
  }

  goaway(reason: string, afterMs: number, to?: string): boolean {
    if (this.phase !== 'open') return false
    this.transport.send({ type: 'goaway', reason, afterMs, ...(to === undefined ? {} : { to }) })
    return true
  }

  nodesChanged(): void {
    const nodes = this.node.nodes?.() ?? []
    if (this.phase !== 'open' || sameTexts(nodes, this.nodesTold)) return
    this.nodesTold = nodes
    this.transport.send({ type: 'nodes', nodes })
  }

  end(reason?: string): void {
    if (this.phase === 'ended') return
    this.phase = 'ended'
    this.cancelHello()
    this.subscription?.close()
    if (reason === MOVED_REASON) this.session?.moved()
    else this.session?.close()
  }

  /** The subscription, made when it is first needed: many providers never watch. */
  get subscribed(): Subscription {
    if (this.subscription === undefined) {
      this.subscription = this.registry.subscribe(
        { deliver: (update) => this.transport.push(update) },
        this.caller,
      )
      if (this.full) this.subscription.stalled()
    }
    return this.subscription
  }

  private greet(type: string, message: Readonly<Record<string, unknown>>): void {
    if (type !== 'hello') {
      this.fault('the first message must be hello')
      return
    }
    let hello: ReturnType<typeof readHello>
    try {
      hello = readHello(message)
    } catch (error) {
      this.fault(error instanceof RegistryError ? error.message : 'unreadable hello')
      return
    }
    this.cancelHello()
    this.phase = 'open'
    if (hello.namespace !== undefined) this.namespace = hello.namespace
    this.byParts = hello.parts === true
    this.session = this.registry.openSession(
      {
        onSilent: () => this.leave(CLOSE_CODES.silent, 'silent for too long'),
        onRemoved: (instances) => {
          if (this.phase === 'open') this.transport.send({ type: 'removed', instances })
        },
        onVacant: (instances) => {
          if (this.phase === 'open') this.transport.send({ type: 'vacant', instances })
        },
      },
      this.caller,
    )
    this.caller = { ...this.caller, session: this.session }
    const { node } = this
    const { limits, pingMs, version } = this.options
    this.nodesTold = node.nodes?.() ?? []
    this.transport.send({
      type: 'welcome',
      ...correlation(message),
      node: node.id,
      cluster: node.cluster,
      version,
      pingMs,
      frameBytesMax: limits.frameBytesMax,
      batchItemsMax: limits.batchItemsMax,
      island: this.registry.read(this.caller).health().island,
      ...(this.nodesTold.length === 0 ? {} : { nodes: this.nodesTold }),
    })
  }

  private answer(type: string, message: Readonly<Record<string, unknown>>): void {
    const req = correlation(message)
    try {
      if (type === 'ack') {
        this.subscription?.ack(readAck(message).seq)
        return
      }
      if (type === 'hint') {
        takeHint(this, message)
        return
      }
      if (type === 'lookup') {
        const found = lookUp(this, message)
        const send = ({ body }: ViewBody): void => this.transport.sendFound(body, req.req)
        if (found instanceof Promise) this.answerLater(found, req, send)
        else send(found)
        return
      }
      const reply = Object.hasOwn(answers, type) ? answers[type as keyof typeof answers] : undefined
      if (reply === undefined) throw unexpected(type)
      const answer = reply(this, message as unknown as ClientMessage)
      const send = (made: ServerMessage): void => this.transport.send({ ...made, ...req })
      if (answer instanceof Promise) this.answerLater(answer, req, send)
      else send(answer)
    } catch (error) {
      this.refuse(error, req)
    }
  }

  private answerLater<T>(answer: Promise<T>, req: Correlation, send: (answer: T) => void): void {
    this.inFlight++
    answer
      .then((made) => (this.phase === 'open' ? send(made) : undefined))
      .catch((error: unknown) => this.refuse(error, req))
      .finally(() => {
        this.inFlight--
        this.transport.settled()
      })
  }

  private refuse(error: unknown, req: Correlation): void {
    if (this.phase !== 'open') return
    const told = toErrorBody(error, this.deps.logger)
    this.deps.refusals.note(told, this.caller.peer)
    this.transport.send({ type: 'error', ...req, error: told })
  }

  /** The client broke the protocol: say why, then close. */
  private fault(reason: string): void {
    if (this.phase === 'ended') return
    this.transport.send({ type: 'error', error: errorBody('protocol', reason) })
    this.leave(CLOSE_CODES.protocol, reason)
  }

  private leave(code: number, reason: string): void {
    if (this.phase === 'ended') return
    this.end()
    this.transport.close(code, reason)
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index])
}

interface Correlation {
  readonly req?: number
}

function correlation(message: Readonly<Record<string, unknown>>): Correlation {
  const req = message['req']
  return Number.isSafeInteger(req) ? { req: req as number } : {}
}

/** A node may be older than its clients: what it does not know is refused, and the stream lives on. */
function unexpected(type: string): RegistryError {
  const message = type === 'hello' ? 'hello was said already' : `unknown message type ${type.slice(0, 64)}`
  return new RegistryError('invalid_argument', message, { field: 'type' })
}
