/** The gRPC health probe. */
import { connect as connectHttp2 } from 'node:http2'
import type { IncomingHttpHeaders } from 'node:http2'
import { decodeHealthResponse, encodeHealthRequest } from './grpc-health.js'
import { authorityOf } from './method.js'
import type { ProbeMethod } from './method.js'
import { causeOf } from './socket.js'
import type { ProbeAnswer } from './socket.js'

const CHECK_PATH = '/grpc.health.v1.Health/Check'
/** Node asks for a URL of the session. The call names its authority itself, because not every host fits into a URL. */
const PLACE = 'http://instance'
/** A health response is 7 bytes. */
const BODY_BYTES_MAX = 4_096
/** Default of nghttp2's own bound, in megabytes, is 10; one call needs next to nothing. */
const SESSION_MEGABYTES_MAX = 1

/** `grpc.health.v1.Health/Check`, once, on a connection of its own. Only status OK with SERVING succeeds. */
export const GRPC_PROBE: ProbeMethod = {
  alpn: ['h2'],
  conversation: (request) => (socket, end) => {
    const session = connectHttp2(PLACE, {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEGABYTES_MAX,
      settings: { enablePush: false },
    })
    session.on('error', (error) => end({ outcome: 'failed', cause: causeOf(error) }))
    session.on('close', () => end({ outcome: 'failed', cause: 'closed' }))
    const call = session.request({
      ':method': 'POST',
      ':scheme': request.tls === undefined || request.tls === false ? 'http' : 'https',
      ':authority': authorityOf(request),
      ':path': CHECK_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'rollcall-probe',
      'grpc-timeout': `${Math.max(1, Math.round(request.timeoutMs))}m`,
    })
    let status = 'missing'
    let httpStatus = 0
    let bytes = 0
    const chunks: Buffer[] = []
    call.on('response', (headers) => {
      httpStatus = headers[':status'] ?? 0
      status = statusOf(headers) ?? status
    })
    call.on('trailers', (trailers) => {
      status = statusOf(trailers) ?? status
    })
    call.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > BODY_BYTES_MAX) end({ outcome: 'failed', cause: 'response too long' })
      else chunks.push(chunk)
    })
    call.on('error', (error) => end({ outcome: 'failed', cause: causeOf(error) }))
    call.on('end', () => end(answerOf(httpStatus, status, Buffer.concat(chunks))))
    call.end(encodeHealthRequest(request.serviceName ?? ''))
    return () => session.destroy()
  },
}

function statusOf(headers: IncomingHttpHeaders): string | undefined {
  const status = headers['grpc-status']
  return typeof status === 'string' ? status : undefined
}

function answerOf(httpStatus: number, status: string, body: Buffer): ProbeAnswer {
  if (httpStatus === 0) return { outcome: 'failed', cause: 'no response' }
  if (httpStatus !== 200) return { outcome: 'failed', cause: `status ${httpStatus}` }
  if (status !== '0') return { outcome: 'failed', cause: `grpc-status ${status.slice(0, 16)}` }
  const serving = decodeHealthResponse(body)
  return serving === 'SERVING' ? { outcome: 'succeeded' } : { outcome: 'failed', cause: serving }
}
