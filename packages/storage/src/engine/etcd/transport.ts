/** How calls get to etcd: a port, so that everything above it can be tested without a socket. */

/** gRPC's status codes, as far as any is treated in its own way. */
export const RPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

/** A call failed. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  /** The server's status, or the one that stands for what happened on the way. */
  readonly status: number
  /** What this side found: an answer beyond the limit, or a certificate that one of the two sides does not accept. */
  readonly local: 'oversize' | 'certificate' | undefined

  constructor(status: number, message: string, options: ErrorOptions & { local?: RpcError['local'] } = {}) {
    super(message, options)
    this.status = status
    this.local = options.local
  }
}

export interface RpcCall {
  readonly path: string
  /** Beside those that each call has. */
  readonly headers: Readonly<Record<string, string>>
}

export interface UnaryCall extends RpcCall {
  readonly message: Uint8Array
  /** When it is given up; the server is told too. */
  readonly timeoutMs: number
}

/** Messages in both directions. */
export interface RpcStream {
  /** Sends a message; nothing happens after the end. */
  send(message: Uint8Array): void
  /** Ends it without a word to the listener. Idempotent. */
  close(): void
}

export interface RpcStreamListener {
  message(bytes: Uint8Array): void
  /** It is over; nothing is heard after that. */
  ended(error: RpcError): void
}

/** Calls to endpoints, which are URLs. Connections are made when they are needed and shared by all calls to an endpoint. */
export interface EtcdTransport {
  /** Resolves with the one message of the answer; rejects with RpcError. */
  unary(endpoint: string, call: UnaryCall): Promise<Uint8Array>
  stream(endpoint: string, call: RpcCall, listener: RpcStreamListener): RpcStream
  /** Gives up the connection to an endpoint that does not answer: calls under way fail as unavailable, the next one connects anew. */
  drop(endpoint: string): void
  /** Drops all, and resolves when no socket is left. Later calls fail at once. Idempotent. */
  close(): Promise<void>
}
