/** Which member is asked: the one that answered last, until it fails; then the next one. */
import { type Clock, EngineError, type Logger } from '@rollcall/core'
import type { EtcdTiming } from './options.js'
import type { Pauses } from './pauses.js'
import { engineError, meaningOf } from './rpc-status.js'
import type { Tokens } from './tokens.js'
import {
  RpcError,
  type EtcdTransport,
  type RpcStream,
  type RpcStreamListener,
  type UnaryCall,
} from './transport.js'

export interface EndpointsDeps {
  readonly transport: EtcdTransport
  readonly tokens: Tokens
  readonly clock: Clock
  readonly random: () => number
  readonly pauses: Pauses
  readonly logger: Logger
}

export interface AttemptOptions {
  /** Only this member is asked, once. */
  readonly endpoint?: string
  /** Told of each attempt that failed before the one that succeeds: what was asked for may have been done. */
  readonly failed?: () => void
  readonly timeoutMs?: number
}

/** A stream whose token can turn out to be refused. */
export interface OpenStream extends RpcStream {
  /** The next stream asks for another token. */
  refused(): void
}

export interface Endpoints {
  /** The member that is asked next. */
  readonly current: string
  /**
   * Calls until a member has answered, for at most `operationMs`. Rejects with EngineError, or with RpcError where the
   * server refuses for a reason that the caller has to treat: a lease that is gone, a size.
   */
  call(path: string, message: Uint8Array, options?: AttemptOptions): Promise<Uint8Array>
  /** Opens a stream to one member; the server ends it when that member knows no leader. */
  open(path: string, endpoint: string, listener: RpcStreamListener): Promise<OpenStream>
  /** This member failed: the next one is asked from now on. `silent`: its connection is given up too. */
  failed(endpoint: string, silent?: boolean): void
}

/** Less time than this is left for no attempt: it would only fail with another reason than the one that matters. */
const ATTEMPT_MS_MIN = 250

/** How often a token is renewed for one operation: the second one was made for it. */
const RENEWALS_MAX = 2

export function createEndpoints(deps: EndpointsDeps, all: readonly string[], timing: EtcdTiming): Endpoints {
  const { transport, tokens, clock, pauses } = deps
  const order = shuffled(all, deps.random)
  let at = 0
  const current = (): string => order[at % order.length] as string

  function failed(endpoint: string, silent = false): void {
    if (silent) transport.drop(endpoint)
    if (endpoint !== current()) return
    at = (at + 1) % order.length
    if (order.length > 1)
      deps.logger.debug({ from: endpoint, to: current() }, 'another member of etcd is asked')
  }

  async function call(path: string, message: Uint8Array, options: AttemptOptions = {}): Promise<Uint8Array> {
    const end = clock.now() + timing.operationMs
    let failures = 0
    let distrusted = 0
    for (;;) {
      if (pauses.closed) throw new EngineError('unavailable', 'the engine is closed')
      const endpoint = options.endpoint ?? current()
      const timeoutMs = Math.max(1, Math.min(options.timeoutMs ?? timing.requestMs, end - clock.now()))
      try {
        return await askMember(deps, endpoint, { path, message, timeoutMs })
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        const meaning = meaningOf(error)
        // Another member may have a certificate that is in order.
        if (error.local === 'certificate') distrusted += 1
        else if (meaning === 'lease' || meaning === 'size') throw error
        else if (meaning !== 'elsewhere') throw engineError(error)
        failures += 1
        options.failed?.()
        if (options.endpoint !== undefined) throw engineError(error)
        failed(endpoint)
        if (distrusted >= order.length || clock.now() >= end) throw engineError(error)
        // A round of all members without waiting; then patience.
        if (failures % order.length === 0) {
          await pauses.backoff(failures / order.length, end - clock.now())
        }
        if (end - clock.now() < ATTEMPT_MS_MIN) throw engineError(error)
      }
    }
  }

  return {
    get current() {
      return current()
    },
    call,
    async open(path, endpoint, listener) {
      const headers = await tokens.headers(endpoint, timing.requestMs)
      const stream = transport.stream(
        endpoint,
        { path, headers: { ...headers, hasleader: 'true' } },
        listener,
      )
      return {
        send: (message) => stream.send(message),
        close: () => stream.close(),
        refused: () => tokens.refused(headers),
      }
    },
    failed,
  }
}

/** One attempt at one member; a token that is refused is renewed on the way. */
async function askMember(
  { tokens, transport }: Pick<EndpointsDeps, 'tokens' | 'transport'>,
  endpoint: string,
  call: Omit<UnaryCall, 'headers'>,
): Promise<Uint8Array> {
  for (let renewals = 0; ; renewals += 1) {
    const headers = await tokens.headers(endpoint, call.timeoutMs)
    try {
      return await transport.unary(endpoint, { ...call, headers })
    } catch (error) {
      if (!(error instanceof RpcError) || meaningOf(error) !== 'token') throw error
      if (!tokens.used || renewals === RENEWALS_MAX) throw engineError(error)
      tokens.refused(headers)
    }
  }
}

function shuffled(all: readonly string[], random: () => number): string[] {
  const order = [...all]
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    const held = order[last] as string
    order[last] = order[other] as string
    order[other] = held
  }
  return order
}
