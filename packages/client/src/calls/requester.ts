/** HTTP requests to the instances of a service, over connections that are kept. */
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { finished } from 'node:stream'
import type { Readable } from 'node:stream'
import type { Instance } from '@rollcall/wire'
import type { BodyContent } from './body.js'
import type { Phase } from './judgement.js'
import { Pools } from './pools.js'
import type { NodeTls } from './tls.js'
import type { Clock } from '../machine/ports.js'

/** A request to one instance. */
export interface OutgoingRequest {
  readonly instance: Instance
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: BodyContent
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
export function createRequester(clock: Clock, tls: NodeTls = {}): Requester {
  const pools = new Pools()
  const underWay = new Set<ClientRequest>()
  return {
    async send(outgoing) {
      const { instance, method, path, headers, signal, fresh } = outgoing
      const secure = instance.protocol === 'https'
      const options = {
        host: instance.host,
        port: instance.port,
        method,
        path,
        headers,
        agent: fresh ? false : pools.of(instance),
        ...(secure ? tls : {}),
        ...(signal === undefined ? {} : { signal }),
      }
      let request: ClientRequest
      try {
        request = secure ? httpsRequest(options) : httpRequest(options)
      } catch (error) {
        return { phase: 'connect', reused: false, error: error as Error }
      }
      underWay.add(request)
      request.once('close', () => underWay.delete(request))
      return carryOut(clock, outgoing, request, secure)
    },
    retain: (...lists) => pools.retain(...lists),
    close() {
      pools.close()
      // Those over connections that no pool has (any more).
      for (const request of underWay) request.destroy()
    },
  }
}

function carryOut(
  clock: Clock,
  { body, connectTimeoutMs }: OutgoingRequest,
  request: ClientRequest,
  secure: boolean,
): Promise<IncomingMessage | RequestFailure> {
  return new Promise((resolve) => {
    let phase: RequestFailure['phase'] = 'connect'
    const cancel = clock.setTimer(connectTimeoutMs, () =>
      request.destroy(new Error('connecting took too long')),
    )
    const ready = (): void => {
      phase = 'sent'
      cancel()
      // A stream is read only now, so that it is still whole when another instance has to be tried.
      if (typeof body === 'function')
        sendStream(body(), request, (error) => {
          phase = 'body'
          request.destroy(error)
        })
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
    if (typeof body !== 'function') request.end(body)
  })
}

/**
 * Sends a stream, which is destroyed when the request is over, however it ended: an instance may answer, or go away,
 * before it has read all.
 */
function sendStream(body: Readable, request: ClientRequest, failed: (error: Error) => void): void {
  finished(body, { writable: false }, (error) => {
    if (error && !request.destroyed) failed(error)
  })
  request.once('close', () => body.destroy())
  request.once('response', (response) =>
    // Its answer is complete: what it has not read by now it does not need, and the connection serves no other request.
    response.once('close', () => body.readableEnded || request.destroy()),
  )
  body.pipe(request)
}
