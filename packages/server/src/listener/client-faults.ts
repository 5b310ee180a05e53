/** Answers that no mount gives: to bytes that are not HTTP, to heads that no mount should see, and for a handler that failed. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { errorBody, type ErrorBody, type ErrorCode } from '@rollcall/wire'

/** What is wrong with what a client sent. */
export interface Fault {
  /** Number and words of the status line. */
  readonly status: string
  readonly code: ErrorCode
  readonly message: string
}

/** What a client that broke HTTP is told, by the code of the parser's error. */
const CLIENT_FAULTS: Readonly<Record<string, Fault>> = {
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
const OWN_FAULT: Fault = {
  status: '500 Internal Server Error',
  code: 'internal',
  message: 'the node failed to answer; its log has the details',
}
const NOT_HTTP: Fault = { status: '400 Bad Request', code: 'malformed', message: 'this is not HTTP' }

/** What may be wrong with a head that is HTTP. */
export const headFaults: Readonly<
  Record<'noHost' | 'twoHosts' | 'target' | 'expectation' | 'tunnel', Fault>
> = {
  noHost: { status: '400 Bad Request', code: 'malformed', message: 'HTTP/1.1 needs a Host header' },
  twoHosts: { status: '400 Bad Request', code: 'malformed', message: 'there is more than one Host header' },
  target: {
    status: '400 Bad Request',
    code: 'malformed',
    message: 'the target is neither a path nor http://HOST/PATH',
  },
  expectation: {
    status: '417 Expectation Failed',
    code: 'invalid_argument',
    message: 'of the header Expect only 100-continue is understood',
  },
  tunnel: {
    status: '405 Method Not Allowed',
    code: 'method_not_allowed',
    message: 'this is not a proxy: CONNECT is not possible here',
  },
}

/** Tells a client what was wrong with its bytes, unless an answer is already on the wire. */
export function refuseClient(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  response: ServerResponse | undefined,
): void {
  const answered = response !== undefined && response.headersSent && !response.writableFinished
  if (answered || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  refuseSocket(CLIENT_FAULTS[error.code ?? ''] ?? NOT_HTTP, socket)
}

/** Answers on a bare socket, and ends it. */
export function refuseSocket({ status, code, message }: Fault, socket: Duplex): void {
  const body = bodyOf(code, message)
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
}

/** Answers a request whose head is wrong. Its body, if any, is not read, so its connection ends. */
export function refuseHead({ status, code, message }: Fault, response: ServerResponse): void {
  response.writeHead(Number.parseInt(status, 10), { 'Content-Type': 'application/json', Connection: 'close' })
  response.end(bodyOf(code, message))
}

/** Answers for a handler that failed, or breaks off what it had begun. */
export function answerInternal(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  refuseHead(OWN_FAULT, response)
}

/** Answers a request that was sent ahead of too many answers; its connection ends. */
export function refusePipelined(response: ServerResponse, error: ErrorBody): void {
  response.writeHead(429, {
    'Content-Type': 'application/json',
    'Retry-After': '1',
    Connection: 'close',
  })
  response.end(JSON.stringify({ error }))
}

function bodyOf(code: ErrorCode, message: string): string {
  return JSON.stringify({ error: errorBody(code, message) })
}
