/** How a call ended: from what HTTP/2, TLS and gRPC say to what it means for the next step. */
import { constants, type IncomingHttpHeaders } from 'node:http2'
import { EngineError } from '@rollcall/core'
import { CodecError } from './protobuf.js'
import { RPC, RpcError } from './transport.js'

/** One for all: to make an error takes as long as to read an answer. */
const SUCCESS = new RpcError(0, '')

/** Status of an answer. In headers that say only that an answer begins there is none yet. */
export function statusOfResponse(headers: IncomingHttpHeaders, trailers = false): RpcError | undefined {
  const code = headers['grpc-status']
  if (code !== undefined) {
    const status = Number(code)
    if (code === '0') return SUCCESS
    const text = decodeText(String(headers['grpc-message'] ?? ''))
    return new RpcError(Number.isInteger(status) && status > 0 ? status : RPC.unknown, text.slice(0, 500))
  }
  if (trailers) return new RpcError(RPC.internal, 'an answer without a status')
  const http = Number(headers[':status'])
  const type = headers['content-type'] ?? ''
  if (http === 200 && type.startsWith('application/grpc')) return undefined
  const busy = http === 429 || http === 502 || http === 503 || http === 504
  const status = http === 401 ? RPC.unauthenticated : http === 403 ? RPC.permissionDenied : RPC.unknown
  return new RpcError(busy ? RPC.unavailable : status, `HTTP ${http} ${type.slice(0, 100)}: is this etcd?`)
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A stream that ended without a status: by a reset, or with its connection. */
export function statusOfReset(code: number | undefined): RpcError {
  if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM)
    return new RpcError(RPC.unavailable, 'the server wants fewer calls')
  return new RpcError(RPC.unavailable, `the connection or the stream was cut (${code ?? 'no code'})`)
}

/** OpenSSL's names of what is wrong with a certificate, found here or told by the other side. */
const CERTIFICATE =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALERT_(?:BAD|UNKNOWN_CA|ACCESS|HANDSHAKE|DECRYPT)|PEM|KEY_VALUES/

/** What broke a connection. */
export function connectionError(endpoint: string, cause: Error): RpcError {
  const code = codeOf(cause.cause) ?? codeOf(cause) ?? ''
  const message = `${endpoint}: ${code === '' ? cause.message : code}`.slice(0, 300)
  if (CERTIFICATE.test(code)) return new RpcError(RPC.unavailable, message, { cause, local: 'certificate' })
  return new RpcError(RPC.unavailable, message, { cause })
}

/** Node's name of an error. */
function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** What a failed call means. */
export type Meaning =
  /** It may be done or not, here or elsewhere: another member is asked. */
  | 'elsewhere'
  /** A token is missing, or is not known any more. */
  | 'token'
  | 'refused'
  | 'compacted'
  /** The revision asked for does not exist yet. */
  | 'future'
  | 'full'
  /** The lease is not there any more. */
  | 'lease'
  /** The request or its answer is too large, for the other side or for this one. */
  | 'size'

/** etcd has few statuses and many reasons; which one it is stands in the text (api/v3rpc/rpctypes/error.go). */
const MEANINGS: readonly (readonly [status: number, text: RegExp, meaning: Meaning])[] = [
  [RPC.unauthenticated, /./, 'token'],
  [RPC.invalidArgument, /user name is empty|revision of auth store is old|invalid auth token/, 'token'],
  [RPC.invalidArgument, /authentication failed/, 'refused'],
  [RPC.permissionDenied, /./, 'refused'],
  [RPC.outOfRange, /compacted/, 'compacted'],
  [RPC.outOfRange, /future revision/, 'future'],
  [RPC.resourceExhausted, /space exceeded/, 'full'],
  [RPC.resourceExhausted, /larger than max/, 'size'],
  [RPC.notFound, /lease not found/, 'lease'],
  [RPC.invalidArgument, /too large|too many operations/, 'size'],
]

export function meaningOf(error: RpcError): Meaning {
  if (error.local === 'oversize') return 'size'
  if (error.local === 'certificate') return 'refused'
  const known = MEANINGS.find(([status, text]) => status === error.status && text.test(error.message))
  return known?.[2] ?? 'elsewhere'
}

const FAILURES = {
  elsewhere: 'unavailable',
  token: 'refused',
  refused: 'refused',
  compacted: 'compacted',
  future: 'epoch',
  full: 'full',
  lease: 'unavailable',
  size: 'unavailable',
} as const satisfies Record<Meaning, EngineError['failure']>

/** The error of the port for anything that went wrong on the way. Mistakes of ours stay what they are. */
export function engineError(error: unknown): unknown {
  if (error instanceof RpcError) {
    const text = error.message === '' ? `status ${error.status}` : error.message
    return new EngineError(FAILURES[meaningOf(error)], text, { cause: error })
  }
  if (error instanceof CodecError) {
    return new EngineError('unavailable', `an answer that is not understood: ${error.message}`, {
      cause: error,
    })
  }
  return error
}
