/** Answers that no mount gives: to bytes that are not HTTP, and for a handler that failed. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { errorBody, type ErrorCode } from '@rollcall/wire'

interface Fault {
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
const NOT_HTTP: Fault = { status: '400 Bad Request', code: 'malformed', message: 'this is not HTTP' }

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
  const fault = CLIENT_FAULTS[error.code ?? ''] ?? NOT_HTTP
  const body = JSON.stringify({ error: errorBody(fault.code, fault.message) })
  const head = `HTTP/1.1 ${fault.status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
}

/** Answers for a handler that failed, or breaks off what it had begun. */
export function answerInternal(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(500, { 'Content-Type': 'application/json', Connection: 'close' })
  response.end(
    JSON.stringify({ error: errorBody('internal', 'the node failed to answer; its log has the details') }),
  )
}
