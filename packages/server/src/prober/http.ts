/** The HTTP probe. */
import { request as requestHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { acceptsStatus } from '@rollcall/core'
import type { ProbeRequest } from '@rollcall/core'
import { authorityOf } from './method.js'
import type { ProbeMethod } from './method.js'
import { causeOf } from './socket.js'
import type { ProbeAnswer } from './socket.js'

/** As much of a body as is read before the connection is cut; a health endpoint says less. */
const BODY_BYTES_MAX = 4_096
const HEADER_BYTES_MAX = 8_192

/**
 * One GET on a connection of its own. The status decides, once the response is complete or longer than is
 * worth reading. A redirect is an answer like any other and is not followed: its target need not be the peer's own address.
 */
export const HTTP_PROBE: ProbeMethod = {
  alpn: ['http/1.1'],
  conversation: (request) => (socket, end) => {
    const outgoing = requestHttp({
      createConnection: () => socket,
      method: 'GET',
      path: request.path ?? '/',
      headers: headersOf(request),
      maxHeaderSize: HEADER_BYTES_MAX,
    })
    let cause = 'no response'
    outgoing.on('response', (response) => {
      cause = 'response cut short'
      read(response, answerOf(request, response), end)
    })
    outgoing.on('error', (error) => end({ outcome: 'failed', cause: causeOf(error) }))
    // A response that is cut short, or is none (such as 101), ends the request without an error.
    outgoing.on('close', () => end({ outcome: 'failed', cause }))
    outgoing.end()
    return () => outgoing.destroy()
  },
}

function headersOf(request: ProbeRequest): Record<string, string> {
  const headers: Record<string, string> = {
    host: authorityOf(request),
    'user-agent': 'rollcall-probe',
    accept: '*/*',
  }
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value
  return headers
}

function answerOf(request: ProbeRequest, response: IncomingMessage): ProbeAnswer {
  const status = response.statusCode ?? 0
  if (acceptsStatus(request.status, status)) return { outcome: 'succeeded' }
  return { outcome: 'failed', cause: `status ${status}` }
}

/** Reads to the end where that is near, so that the other side does not log a broken connection for each probe. */
function read(response: IncomingMessage, answer: ProbeAnswer, end: (answer: ProbeAnswer) => void): void {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) end(answer)
  })
  response.on('end', () => end(answer))
  // The close of the request reports it.
  response.on('error', () => {})
}
