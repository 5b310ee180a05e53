import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Instance } from '@rollcall/wire'
import type { Clock } from './clock.js'

/** One attempt to call one instance. */
export interface Attempt {
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

/** An attempt that brought no response. */
export interface AttemptFailure {
  /** `connect`: the request was certainly not sent; `sent`: it may have been executed. */
  readonly phase: 'connect' | 'sent'
  /** The connection had served before: its end may say nothing about the instance. */
  readonly reused: boolean
  readonly error: Error
}

/** Carries out attempts over kept-alive connections. */
export interface Requester {
  attempt(attempt: Attempt): Promise<IncomingMessage | AttemptFailure>
  /** Closes idle connections. Idempotent. */
  close(): void
}

/** Idle connections kept per instance; more are closed after use. */
const IDLE_SOCKETS_MAX = 64

/** Creates a requester over node:http and node:https. */
export function createRequester(clock: Clock): Requester {
  const http = new HttpAgent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX })
  const https = new HttpsAgent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX })
  return {
    attempt(attempt) {
      const secure = attempt.instance.protocol === 'https'
      const { instance, method, path, headers, signal, fresh } = attempt
      const options = {
        host: instance.host,
        port: instance.port,
        method,
        path,
        headers,
        agent: fresh ? false : secure ? https : http,
        ...(signal === undefined ? {} : { signal }),
      }
      return carryOut(clock, attempt, secure ? httpsRequest(options) : httpRequest(options), secure)
    },
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

function carryOut(
  clock: Clock,
  attempt: Attempt,
  request: ClientRequest,
  secure: boolean,
): Promise<IncomingMessage | AttemptFailure> {
  return new Promise((resolve) => {
    let connected = false
    const cancel = clock.setTimer(attempt.connectTimeoutMs, () =>
      request.destroy(new Error('connecting took too long')),
    )
    const ready = (): void => {
      connected = true
      cancel()
      // A stream is read only now, so that it is still whole when another instance has to be tried.
      if (attempt.body instanceof Readable)
        attempt.body.once('error', (error) => request.destroy(error)).pipe(request)
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
      resolve({ phase: connected ? 'sent' : 'connect', reused: request.reusedSocket, error })
    })
    if (!(attempt.body instanceof Readable)) request.end(attempt.body)
  })
}
