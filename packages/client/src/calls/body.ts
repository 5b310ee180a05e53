/** Bodies of requests, and whether they can be sent twice. */
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { invalid } from '../machine/errors.js'

/** What `fetch` can send. */
export type FetchBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | URLSearchParams
  | Blob
  | FormData
  | ReadableStream
  | Readable
  | null
  | undefined

/** Bytes, or what opens a stream of them; undefined when there is no body. */
export type BodyContent = Uint8Array | (() => Readable) | undefined

/** A body ready to be sent, once or again. */
export interface SendableBody {
  readonly content: BodyContent
  /** Whether it may be sent again after something of it was read. */
  readonly replayable: boolean
  /** BodyContent type that goes with it, unless the caller names one. */
  readonly type: string | undefined
  /** Bytes, where known. */
  readonly length: number | undefined
  /** It will not be read any more. */
  discard(): void
}

/**
 * Makes a body: everything but a stream can be replayed. A form is put together once, a blob is read anew each time.
 * Throws `invalid_argument` for what cannot be sent.
 */
export async function outgoingBody(body: FetchBody): Promise<SendableBody> {
  if (body === undefined || body === null) return bytes(undefined)
  if (typeof body === 'string') return bytes(Buffer.from(body), 'text/plain;charset=UTF-8')
  if (body instanceof URLSearchParams)
    return bytes(Buffer.from(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8')
  if (body instanceof Uint8Array) return bytes(body)
  if (body instanceof ArrayBuffer) return bytes(new Uint8Array(body))
  if (body instanceof FormData) {
    const form = new Response(body)
    return bytes(new Uint8Array(await form.arrayBuffer()), form.headers.get('content-type') ?? undefined)
  }
  if (body instanceof Blob) {
    return {
      content: () => Readable.fromWeb(body.stream()),
      replayable: true,
      type: body.type === '' ? undefined : body.type,
      length: body.size,
      discard: () => {},
    }
  }
  const stream = streamOf(body)
  return {
    content: () => stream,
    replayable: false,
    type: undefined,
    length: undefined,
    discard: () => void stream.destroy(),
  }
}

function streamOf(body: ReadableStream | Readable): Readable {
  const stream = body instanceof Readable ? body : fromWeb(body)
  // It would never end.
  if (stream.destroyed || stream.readableEnded) throw invalid('the body was read or destroyed before', 'body')
  // It may fail before it is sent, and is destroyed when it is not; the request looks at `errored`.
  stream.on('error', () => undefined)
  return stream
}

function fromWeb(body: ReadableStream): Readable {
  if (!(body instanceof ReadableStream))
    throw invalid('a body is a text, bytes, a form, a blob or a stream', 'body')
  if (body.locked) throw invalid('the body is being read already', 'body')
  return Readable.fromWeb(body as NodeReadableStream)
}

function bytes(content: Uint8Array | undefined, type?: string): SendableBody {
  return { content, replayable: true, type, length: content?.byteLength, discard: () => {} }
}
