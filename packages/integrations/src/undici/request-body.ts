/** The body of a request: whether it can be sent again, and whether it failed by itself. */
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

type Content = NonNullable<Dispatcher.DispatchOptions['body']> | null

/** A body as it is sent, over as many attempts as it takes. */
export class RequestBody {
  readonly content: Content
  /** Whether it can be sent twice. The one that `fetch` makes of any body cannot. */
  readonly isReplayable: boolean
  /** Whether reading it failed; when an attempt fails for that reason, it is known before. */
  failed = false

  constructor(given: Content = null) {
    this.isReplayable = isReplayable(given)
    this.content = given
    if (given instanceof Readable) given.once('error', () => (this.failed = true))
    else if (isAsyncIterable(given)) this.content = this.followed(given) as unknown as Content
  }

  /** What a stream held is gone: there is nothing left for another attempt. */
  get isSpent(): boolean {
    const { content } = this
    return content instanceof Readable && (content.destroyed || content.readableDidRead)
  }

  private async *followed(given: AsyncIterable<unknown>): AsyncGenerator {
    try {
      yield* given
    } catch (error) {
      this.failed = true
      throw error
    }
  }
}

function isReplayable(body: Content): boolean {
  if (body === null || typeof body === 'string') return true
  return body instanceof Uint8Array || body instanceof FormData
}

function isAsyncIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
