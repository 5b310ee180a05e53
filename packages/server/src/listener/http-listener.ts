import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock, Logger, Meter } from '@rollcall/core'
import { RegistryError, errorBody } from '@rollcall/wire'
import type { ErrorCode } from '@rollcall/wire'

export interface HttpListenerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  /** Answers a request, now or later. What it throws before it returns is logged and answered with 500. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void
  /** Takes over a connection that asks for another protocol. What it throws is logged and the socket destroyed. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface HttpListenerOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Most open connections, streams included. Further ones are closed at once. */
  readonly connectionsMax: number
  /** How long a client may take to send its headers. Default 10 s: nobody honest needs longer. */
  readonly headersMs?: number
  /**
   * How long a client may take to send a whole request. Default 60 s: 8 MiB at 1.2 Mbit/s. It ends with the last
   * byte of the body, so it never cuts a long poll or a stream short.
   */
  readonly requestMs?: number
  /** How long an idle connection is kept. Default 75 s: longer than the 60 s of common load balancers, who must be the first to hang up. */
  readonly keepAliveMs?: number
}

/** The port of a node. */
export interface HttpListener {
  /** Begins to accept; rejects with `invalid_argument` on `listen` when the address cannot be had. Idempotent. */
  start(): Promise<{ readonly host: string; readonly port: number }>
  /**
   * Accepts no more, lets requests that are under way finish, and destroys what is left after `deadlineMs`
   * (default 5 s), upgraded connections included; their owners should have ended them before. Idempotent.
   */
  close(deadlineMs?: number): Promise<void>
}

/** Room for the names of some 200 watched services in one URL. */
const HEADER_BYTES_MAX = 32_768
/** At most one line about dropped connections in this time. */
const LOG_INTERVAL_MS = 10_000
/** While closing, how often to look for connections that have become idle. */
const IDLE_CHECK_MS = 25

/** What a client that broke HTTP is told, by the code of the parser's error. */
const CLIENT_FAULTS: Readonly<
  Record<string, { readonly status: string; readonly code: ErrorCode; readonly message: string }>
> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'malformed',
    message: 'the headers are too large',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: '413 Payload Too Large',
    code: 'body_too_large',
    message: 'the chunk extensions are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'timeout',
    message: 'the request did not arrive in time',
  },
}
const NOT_HTTP = { status: '400 Bad Request', code: 'malformed', message: 'this is not HTTP' } as const

/** Creates the listener of a node. */
export function createHttpListener(deps: HttpListenerDeps, options: HttpListenerOptions): HttpListener {
  const { clock, meter } = deps
  const headersMs = options.headersMs ?? 10_000
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: headersMs,
    requestTimeout: options.requestMs ?? 60_000,
    keepAliveTimeout: options.keepAliveMs ?? 75_000,
    connectionsCheckingInterval: Math.min(headersMs, 5_000),
    // Finds peers that vanished without a word behind long polls and event streams.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  })
  server.maxConnections = options.connectionsMax
  const sockets = new Set<Socket>()
  const answering = new WeakMap<Duplex, ServerResponse>()
  const reportDrop = createDropReport(clock, deps.logger, options.connectionsMax)

  server.on('connection', (socket) => {
    sockets.add(socket)
    meter.set('rollcall_connections', sockets.size)
    socket.once('close', () => {
      sockets.delete(socket)
      meter.set('rollcall_connections', sockets.size)
    })
  })
  server.on('drop', () => {
    meter.count('rollcall_connections_dropped_total')
    reportDrop()
  })
  server.on('request', (request, response) => {
    answering.set(request.socket, response)
    try {
      deps.handleRequest(request, response)
    } catch (error) {
      deps.logger.error({ error, method: request.method, url: request.url }, 'request handler failed')
      answerInternal(response)
    }
  })
  server.on('upgrade', (request, socket, head) => {
    // A reset before the handler listens would otherwise be an uncaught error.
    socket.on('error', () => {})
    try {
      deps.handleUpgrade(request, socket, head)
    } catch (error) {
      deps.logger.error({ error, url: request.url }, 'upgrade handler failed')
      socket.destroy()
    }
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuseClient(error, socket, answering.get(socket)),
  )

  server.on('error', (error) => {
    // Before it listens, `start` rejects with this. Later it is a failed accept, which costs one connection.
    if (server.listening) deps.logger.error({ error }, 'accepting a connection failed')
  })

  let started: Promise<{ readonly host: string; readonly port: number }> | undefined
  let closing: Promise<void> | undefined
  return {
    start() {
      started ??=
        closing === undefined
          ? listen(server, options)
          : Promise.reject(new RegistryError('closed', 'the listener was closed'))
      return started
    },
    close(deadlineMs = 5_000) {
      closing ??= (started ?? Promise.resolve()).then(
        () => closeServer(server, sockets, clock, deadlineMs),
        () => {},
      )
      return closing
    },
  }
}

function listen(
  server: Server,
  options: HttpListenerOptions,
): Promise<{ readonly host: string; readonly port: number }> {
  const { host, port } = options
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port))
    server.once('error', refuse)
    server.listen({ host, port }, () => {
      server.off('error', refuse)
      const bound = server.address() as AddressInfo
      resolve({ host: bound.address, port: bound.port })
    })
  })
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
  EACCES: 'this user may not use that port',
  ENOTFOUND: 'the host name is unknown',
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): RegistryError {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const why = LISTEN_FAULTS[error.code ?? ''] ?? error.message
  return new RegistryError('invalid_argument', `cannot listen on ${address}: ${why}`, {
    field: 'listen',
    details: { address, reason: error.code ?? 'unknown' },
    cause: error,
  })
}

async function closeServer(
  server: Server,
  sockets: ReadonlySet<Socket>,
  clock: Clock,
  deadlineMs: number,
): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    const cancelDeadline = clock.setTimer(deadlineMs, () => {
      for (const socket of sockets) socket.destroy()
    })
    // Node keeps a connection alive after its last answer even while closing, so idle ones are looked for.
    let cancelCheck = (): void => {}
    const check = (): void => {
      server.closeIdleConnections()
      // Node does not call idle what has never sent a byte; browsers open such connections on suspicion.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      cancelCheck = clock.setTimer(IDLE_CHECK_MS, check)
    }
    server.close(() => {
      cancelDeadline()
      cancelCheck()
      resolve()
    })
    check()
  })
}

/** Tells a client what was wrong with its bytes, unless an answer is already on the wire. */
function refuseClient(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  response: ServerResponse | undefined,
): void {
  const answered = response !== undefined && response.headersSent && !response.writableFinished
  if (answered || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const fault = CLIENT_FAULTS[error.code ?? ''] ?? NOT_HTTP
  const body = JSON.stringify({ error: errorBody(fault.code, fault.message) })
  const head = `HTTP/1.1 ${fault.status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
}

function answerInternal(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(500, { 'Content-Type': 'application/json', Connection: 'close' })
  response.end(
    JSON.stringify({ error: errorBody('internal', 'the node failed to answer; its log has the details') }),
  )
}

/** Logs dropped connections: the first at once, then with a count. */
function createDropReport(clock: Clock, logger: Logger, connectionsMax: number): () => void {
  let unreported = 0
  let lastMs = -Infinity
  return () => {
    unreported++
    const nowMs = clock.now()
    if (nowMs - lastMs < LOG_INTERVAL_MS) return
    logger.warn({ connections: unreported, connectionsMax }, 'connections dropped')
    lastMs = nowMs
    unreported = 0
  }
}
