/** One address of a node: accepts connections, reads HTTP/1.1 and hands each request to its mount. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock, Logger, Meter, RefusalLog } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import { answerInternal, headFaults, refuseClient, refuseHead, refuseSocket } from './client-faults.js'
import type { Connections } from './connections.js'
import { pathOf, settleHead } from './heads.js'
import { listenError } from './listen-error.js'
import { createMountTable, type Mount } from './mounts.js'
import { offersWebSocket, requestsThatTake } from './offers.js'
import { createPipeline, type Pipeline } from './pipeline.js'

export interface HttpListenerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly refusals: RefusalLog
  /** One for all listeners of a node. */
  readonly connections: Connections
}

export interface HttpListenerOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** The setting that has the address. Default `listen`. */
  readonly setting?: string
  /** What answers here; one of them at `/`. */
  readonly mounts: readonly Mount[]
  /** How long a client may take to send its headers. Default 10 s: no honest client needs longer. */
  readonly headersMs?: number
  /**
   * How long a client may take to send a whole request. Default 60 s: 8 MiB at 1.2 Mbit/s. It ends with the last
   * byte of the body, so it never cuts a long poll or a stream short.
   */
  readonly requestMs?: number
  /** How long an idle connection is kept. Default 75 s: longer than the 60 s of common load balancers, which must be the first to hang up. */
  readonly keepAliveMs?: number
}

/** Where a listener was bound. */
export interface BoundAddress {
  readonly host: string
  readonly port: number
}

/** One address of a node. */
export interface HttpListener {
  /** Begins to accept; rejects with `invalid_argument` on its setting when the address cannot be had. Idempotent. */
  start(): Promise<BoundAddress>
  /**
   * Accepts no more, lets requests that are under way finish, and destroys what is left after `deadlineMs`
   * (default 5 s), upgraded connections included; their owners should have ended them before. Idempotent.
   */
  close(deadlineMs?: number): Promise<void>
}

/** Room for the names of some 200 watched services in one URL. */
const HEADER_BYTES_MAX = 32_768
/** While closing, how often to look for connections that have become idle. */
const IDLE_CHECK_MS = 25

/** Creates a listener. */
export function createHttpListener(deps: HttpListenerDeps, options: HttpListenerOptions): HttpListener {
  const mountOf = createMountTable(options.mounts)
  const pipeline = createPipeline(deps, handlerOf(mountOf, deps.logger))
  const server = createNodeServer(options, mountOf, pipeline)
  const sockets = deps.connections.track(server)
  serve(server, mountOf, pipeline, deps.logger)
  let started: Promise<BoundAddress> | undefined
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
        () => closeServer(server, sockets, deps.clock, deadlineMs),
        () => {},
      )
      return closing
    },
  }
}

type FindMount = (url: string | undefined) => Mount

function createNodeServer(options: HttpListenerOptions, mountOf: FindMount, pipeline: Pipeline): Server {
  const headersMs = options.headersMs ?? 10_000
  return createServer({
    // Behind an answer that is not finished the connection is not free to be taken over.
    IncomingMessage: requestsThatTake(
      (request) =>
        offersWebSocket(request) &&
        mountOf(pathOf(request.url)).handleUpgrade !== undefined &&
        pipeline.underWay(request.socket) === undefined,
    ),
    maxHeaderSize: HEADER_BYTES_MAX,
    // Such a request is refused by `settleHead`, in words.
    requireHostHeader: false,
    headersTimeout: headersMs,
    requestTimeout: options.requestMs ?? 60_000,
    keepAliveTimeout: options.keepAliveMs ?? 75_000,
    connectionsCheckingInterval: Math.min(headersMs, 5_000),
    // Finds peers that vanished without a word behind long polls and event streams.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  })
}

function handlerOf(
  mountOf: FindMount,
  logger: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    try {
      const fault = settleHead(request)
      if (fault === undefined) mountOf(request.url).handleRequest(request, response)
      else refuseHead(fault, response)
    } catch (error) {
      logger.error({ error, method: request.method, url: request.url }, 'request handler failed')
      answerInternal(response)
    }
  }
}

function serve(server: Server, mountOf: FindMount, pipeline: Pipeline, logger: Logger): void {
  server.on('request', (request, response) => pipeline.take(request, response))
  // Without a word to go on the body may never come, and what comes next may be another request or the body.
  server.on('checkContinue', (request, response) => {
    response.setHeader('Connection', 'close')
    pipeline.take(request, response)
  })
  server.on('checkExpectation', (_request, response) => refuseHead(headFaults.expectation, response))
  server.on('connect', (_request, socket) => {
    socket.on('error', () => {})
    refuseSocket(headFaults.tunnel, socket)
  })
  server.on('upgrade', (request, socket, head) => {
    // A reset before the handler listens would otherwise be an uncaught error.
    socket.on('error', () => {})
    try {
      const fault = settleHead(request)
      if (fault !== undefined) return refuseSocket(fault, socket)
      mountOf(request.url).handleUpgrade?.(request, socket, head)
    } catch (error) {
      logger.error({ error, url: request.url }, 'upgrade handler failed')
      socket.destroy()
    }
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuseClient(error, socket, pipeline.underWay(socket)),
  )
}

function listen(server: Server, options: HttpListenerOptions): Promise<BoundAddress> {
  const { host, port } = options
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void =>
      reject(listenError(error, options, options.setting))
    server.once('error', refuse)
    server.listen({ host, port }, () => {
      server.off('error', refuse)
      const bound = server.address() as AddressInfo
      resolve({ host: bound.address, port: bound.port })
    })
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
      // A connection that has never sent a byte is not idle to Node; browsers open such connections in advance.
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
