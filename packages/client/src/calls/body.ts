/** Bodies of requests, and whether they can be sent twice. */
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'

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

/** A body ready to be sent, once or again. */
export interface OutgoingBody {
  /** Bytes, or a stream that begins at the beginning; undefined when there is no body. */
  open(): Uint8Array | Readable | undefined
  /** Whether `open` may be called again after something of it was read. */
  readonly replayable: boolean
  /** Content type that goes with it, unless the caller names one. */
  readonly type: string | undefined
  /** Bytes, where known. */
  readonly length: number | undefined
  /** It will not be read any more. */
  discard(): void
}

/** Makes a body: everything but a stream can be replayed. A form is put together once, a blob is read anew each time. */
export async function outgoingBody(body: FetchBody): Promise<OutgoingBody> {
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
      open: () => Readable.fromWeb(body.stream()),
      replayable: true,
      type: body.type === '' ? undefined : body.type,
      length: body.size,
      discard: () => {},
    }
  }
  const stream = body instanceof Readable ? body : Readable.fromWeb(body as NodeReadableStream)
  return {
    open: () => stream,
    replayable: false,
    type: undefined,
    length: undefined,
    discard: () => void stream.destroy(),
  }
}

function bytes(content: Uint8Array | undefined, type?: string): OutgoingBody {
  return { open: () => content, replayable: true, type, length: content?.byteLength, discard: () => {} }
}
