/** The transport over Node's HTTP/2: gRPC is a POST with framed messages and a status in the trailers. */
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Clock } from '@rollcall/core'
import { createFrameReader, frame } from './frames.js'
import { ETCD_SIZES, type EtcdOptions, type EtcdTiming } from './options.js'
import { connectionError, statusOfReset, statusOfResponse } from './rpc-status.js'
import {
  RPC,
  RpcError,
  type EtcdTransport,
  type RpcCall,
  type RpcStream,
  type RpcStreamListener,
  type UnaryCall,
} from './transport.js'
import { watchConnection } from './vital-signs.js'

/** How much of each stream may be on its way; the connection takes four of them. */
const WINDOW_BYTES = 2_097_152

/** A connection with its calls. */
interface Connection {
  readonly endpoint: string
  readonly session: ClientHttp2Session
  /** Tells its end in any case, which a session does not. */
  readonly socket: Socket
  /** Calls under way. */
  calls: number
  /** Why it broke, as soon as that is known. */
  error: RpcError | undefined
}

export function createHttp2Transport(
  clock: Clock,
  options: Pick<EtcdOptions, 'ca' | 'cert' | 'key'> & { readonly timing: EtcdTiming },
): EtcdTransport {
  const connections = new Map<string, Connection>()
  /** Every connection until its socket is gone. */
  const ending = new Set<Connection>()
  let noneLeft = (): void => {}
  let closed = false

  function connected(endpoint: string): Connection {
    const known = connections.get(endpoint)
    if (known !== undefined && !known.session.closed && !known.session.destroyed) return known
    if (closed) throw new RpcError(RPC.unavailable, 'closed')
    const connection = begin(endpoint)
    connections.set(endpoint, connection)
    ending.add(connection)
    connection.socket.on('close', () => {
      ending.delete(connection)
      if (connections.get(endpoint) === connection) connections.delete(endpoint)
      if (ending.size === 0) noneLeft()
    })
    return connection
  }

  function begin(endpoint: string): Connection {
    try {
      return openConnection(endpoint, clock, options)
    } catch (error) {
      // A certificate that is none.
      throw connectionError(endpoint, error as Error)
    }
  }

  /** Those that the server wants no more calls on are among them. */
  function drop(dropped: readonly Connection[], reason: string): void {
    for (const connection of dropped) {
      connection.error ??= new RpcError(RPC.unavailable, reason)
      connection.session.destroy()
      connection.socket.destroy()
    }
  }

  return {
    unary: (endpoint, call) => callOnce(() => connected(endpoint), clock, endpoint, call),
    stream: (endpoint, call, listener) =>
      openStream(() => connected(endpoint), call, undefined, {
        message: (bytes) => listener.message(bytes),
        ended: (error) =>
          listener.ended(
            error.status === 0 ? new RpcError(RPC.unavailable, 'the server ended the stream') : error,
          ),
      }),
    drop(endpoint) {
      const all = [...ending].filter((connection) => connection.endpoint === endpoint)
      drop(all, `${endpoint} does not answer`)
    },
    close() {
      closed = true
      drop([...ending], 'closed')
      if (ending.size === 0) return Promise.resolve()
      return new Promise((resolve) => (noneLeft = resolve))
    },
  }
}

function callOnce(
  connected: () => Connection,
  clock: Clock,
  endpoint: string,
  { path, headers, message, timeoutMs }: UnaryCall,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let answer: Uint8Array | undefined
    const timed = { path, headers: { ...headers, 'grpc-timeout': `${Math.ceil(timeoutMs)}m` } }
    const stream = openStream(connected, timed, message, {
      message: (bytes) => (answer = bytes),
      ended(error) {
        cancel()
        if (error.status !== 0) reject(error)
        else if (answer === undefined) reject(new RpcError(RPC.internal, 'an answer without a message'))
        else resolve(answer)
      },
    })
    const cancel = clock.setTimer(timeoutMs, () => {
      stream.close()
      reject(new RpcError(RPC.deadlineExceeded, `no answer from ${endpoint} within ${timeoutMs} ms`))
    })
  })
}

function openConnection(
  endpoint: string,
  clock: Clock,
  { ca, cert, key, timing }: Pick<EtcdOptions, 'ca' | 'cert' | 'key'> & { readonly timing: EtcdTiming },
): Connection {
  const socket = openSocket(endpoint, {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  })
  const session = connect(endpoint, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    // In megabytes: Node refuses what goes beyond, and several large answers may come at once.
    maxSessionMemory: 128,
  })
  const connection: Connection = { endpoint, session, socket, calls: 0, error: undefined }
  const broken = (error: RpcError): void => {
    connection.error ??= error
    if (!session.destroyed) session.destroy()
    socket.destroy()
  }
  const cancel = clock.setTimer(timing.connectMs, () =>
    broken(new RpcError(RPC.unavailable, `no connection to ${endpoint} within ${timing.connectMs} ms`)),
  )
  session.on('connect', () => {
    cancel()
    session.setLocalWindowSize(4 * WINDOW_BYTES)
    watchConnection(session, socket, clock, timing, {
      inUse: () => connection.calls > 0,
      silent: () => broken(new RpcError(RPC.unavailable, `${endpoint} is silent`)),
    })
  })
  socket.on('error', (error) => broken(connectionError(endpoint, error)))
  session.on('error', (error) => broken(connectionError(endpoint, error)))
  // The server wants no more calls here: those under way go on, the next one gets a new connection.
  session.on('goaway', () => session.close())
  socket.on('close', () => {
    cancel()
    broken(new RpcError(RPC.unavailable, `${endpoint} closed the connection`))
  })
  return connection
}

function openSocket(endpoint: string, options: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>): Socket {
  const { protocol, hostname, port } = new URL(endpoint)
  const host = hostname.replace(/^\[|\]$/g, '')
  const at = { host, port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port) }
  if (protocol === 'http:') return connectTcp(at).setNoDelay()
  const named = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ ...options, ...at, ...named, ALPNProtocols: ['h2'] }).setNoDelay()
}

/** Told of the end in any case: status 0 is success. */
function openStream(
  connected: () => Connection,
  call: RpcCall,
  only: Uint8Array | undefined,
  listener: RpcStreamListener,
): RpcStream {
  let over = false
  let http: ClientHttp2Stream | undefined
  const end = (error: RpcError): void => {
    if (over) return
    over = true
    if (http !== undefined && !http.closed) http.close(constants.NGHTTP2_CANCEL)
    listener.ended(error)
  }
  try {
    const connection = connected()
    http = connection.session.request(headersOf(call), { endStream: false })
    follow(http, connection, end, (bytes) => {
      if (!over) listener.message(bytes)
    })
    if (only !== undefined) http.end(frame(only))
  } catch (error) {
    // The listener is told after the call, as always.
    const told =
      error instanceof RpcError ? error : new RpcError(RPC.unavailable, 'no stream', { cause: error })
    queueMicrotask(() => end(told))
  }
  return {
    send(message) {
      if (!over && http !== undefined && !http.destroyed) http.write(frame(message))
    },
    close() {
      if (over) return
      over = true
      http?.close(constants.NGHTTP2_CANCEL)
    },
  }
}

function headersOf(call: RpcCall): Record<string, string> {
  return {
    ...call.headers,
    ':method': 'POST',
    ':path': call.path,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
    'user-agent': 'rollcall',
  }
}

/** Turns what a stream of HTTP/2 does into messages and one end. */
function follow(
  http: ClientHttp2Stream,
  connection: Connection,
  end: (error: RpcError) => void,
  message: (bytes: Uint8Array) => void,
): void {
  let status: RpcError | undefined
  let broken: Error | undefined
  connection.calls += 1
  const frames = createFrameReader(ETCD_SIZES.answerBytesMax, message)
  const conclude = (): void => {
    if (status?.status === 0 && frames.torn)
      status = new RpcError(RPC.internal, 'an answer that ends too soon')
    const cut = (): RpcError =>
      broken === undefined ? statusOfReset(http.rstCode) : connectionError(connection.endpoint, broken)
    end(status ?? connection.error ?? cut())
  }
  http.on('response', (headers: IncomingHttpHeaders) => {
    // An answer that is only trailers has the status here, and one that is none of gRPC.
    status = statusOfResponse(headers)
  })
  http.on('trailers', (headers: IncomingHttpHeaders) => {
    status ??= statusOfResponse(headers, true)
  })
  http.on('data', (chunk: Buffer) => {
    if (status !== undefined) return
    try {
      frames.push(chunk)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      end(error)
    }
  })
  http.on('error', (error) => (broken = error))
  // The server has said all; a stream that this side has not ended would not close by itself.
  http.on('end', () => {
    if (status !== undefined) conclude()
    else if (!http.closed) http.close(constants.NGHTTP2_CANCEL)
  })
  http.on('close', () => {
    connection.calls -= 1
    conclude()
  })
}
