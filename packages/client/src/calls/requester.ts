/** HTTP requests to the instances of a service, over connections that are kept. */
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Instance } from '@rollcall/wire'
import type { Phase } from './judgement.js'
import { Pools } from './pools.js'
import type { Clock } from '../machine/ports.js'

/** A request to one instance. */
export interface OutgoingRequest {
  readonly instance: Instance
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: Uint8Array | Readable | undefined
  readonly connectTimeoutMs: number
  /** Use a new connection rather than an idle one. */
  readonly fresh: boolean
  readonly signal: AbortSignal | undefined
}

/** A request that brought no response. */
export interface RequestFailure {
  /** `body`: the stream to be sent failed by itself. */
  readonly phase: Phase | 'body'
  /** The connection had served before: its end may say nothing about the instance. */
  readonly reused: boolean
  readonly error: Error
}

/** A failed request as an error. */
export class RequestError extends Error {
  readonly failure: RequestFailure

  constructor(failure: RequestFailure) {
    super(failure.error.message, { cause: failure.error })
    this.failure = failure
  }
}

/** Sends requests to the instances of one service over kept-alive connections. */
export interface Requester {
  send(request: OutgoingRequest): Promise<IncomingMessage | RequestFailure>
  /** Only these may still be called: closes idle connections to others at once, those in use after their answer. */
  retain(...lists: readonly (readonly Instance[])[]): void
  /** Closes all connections. Idempotent. */
  close(): void
}

/** Creates a requester over node:http and node:https. */
export function createRequester(clock: Clock): Requester {
  const pools = new Pools()
  return {
    send(outgoing) {
      const { instance, method, path, headers, signal, fresh } = outgoing
      const secure = instance.protocol === 'https'
      const options = {
        host: instance.host,
        port: instance.port,
        method,
        path,
        headers,
        agent: fresh ? false : pools.of(instance),
        ...(signal === undefined ? {} : { signal }),
      }
      return carryOut(clock, outgoing, secure ? httpsRequest(options) : httpRequest(options), secure)
    },
    retain: (...lists) => pools.retain(...lists),
    close: () => pools.close(),
  }
}

function carryOut(
  clock: Clock,
  outgoing: OutgoingRequest,
  request: ClientRequest,
  secure: boolean,
): Promise<IncomingMessage | RequestFailure> {
  return new Promise((resolve) => {
    let phase: RequestFailure['phase'] = 'connect'
    const cancel = clock.setTimer(outgoing.connectTimeoutMs, () =>
      request.destroy(new Error('connecting took too long')),
    )
    const ready = (): void => {
      phase = 'sent'
      cancel()
      // A stream is read only now, so that it is still whole when another instance has to be tried.
      if (outgoing.body instanceof Readable) sendStream(outgoing.body)
    }
    const sendStream = (body: Readable): void => {
      const failed = (error: Error): void => {
        phase = 'body'
        request.destroy(error)
      }
      if (body.errored !== null) return failed(body.errored)
      body.once('error', failed).pipe(request)
    }
    request.on('socket', (socket) => {
      if (request.reusedSocket || !socket.connecting) ready()
      else socket.once(secure ? 'secureConnect' : 'connect', ready)
    })
    request.once('response', (response) => {
      cancel()
      resolve(response)
    })
    // Stays after the response: what breaks later reaches the reader of the body.
    request.on('error', (error) => {
      cancel()
      resolve({ phase, reused: request.reusedSocket, error })
    })
    if (!(outgoing.body instanceof Readable)) request.end(outgoing.body)
  })
}
