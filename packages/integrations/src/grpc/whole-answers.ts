/** An interceptor that repeats unary gRPC calls whose answer broke off. */
import type { Interceptor, Metadata, Requester, StatusObject } from '@grpc/grpc-js'
import { InterceptingCall, status } from '@grpc/grpc-js'

type InterceptedCall = ReturnType<Parameters<Interceptor>[1]>
type Listener = NonNullable<Parameters<InterceptedCall['start']>[1]>

/**
 * Repeats unary calls whose answer began and broke off, up to `repeats` times. A retry policy ends with the first
 * byte of an answer, so that a server that is killed between the message and the status would fail the call. What
 * arrived is held until the call is over.
 */
export function wholeAnswers(mayRepeat: (path: string) => boolean, repeats: number): Interceptor {
  return (options, nextCall) => {
    const { path, requestStream, responseStream } = options.method_definition
    const first = nextCall(options)
    if (requestStream || responseStream || !mayRepeat(path)) return new InterceptingCall(first)
    return new InterceptingCall(
      first,
      holding(() => nextCall(options), repeats),
    )
  }
}

function holding(another: () => InterceptedCall, repeats: number): Requester {
  let left = repeats
  let request: unknown
  let repeated: InterceptedCall | undefined
  let cancelled = false
  const listen = (metadata: Metadata, listener: Listener): Listener => {
    let head: Metadata | undefined
    const messages: unknown[] = []
    return {
      onReceiveMetadata: (received) => (head = received),
      onReceiveMessage: (message: unknown) => void messages.push(message),
      onReceiveStatus(end: StatusObject) {
        if (head !== undefined && end.code === status.UNAVAILABLE && left > 0 && !cancelled) {
          left -= 1
          repeated = another()
          repeated.start(metadata.clone(), listen(metadata, listener))
          repeated.sendMessage(request)
          repeated.halfClose()
          return
        }
        if (head !== undefined) listener.onReceiveMetadata?.(head)
        for (const message of messages) listener.onReceiveMessage?.(message)
        listener.onReceiveStatus?.(end)
      },
    }
  }
  return {
    start(metadata, listener, next) {
      const own = metadata.clone()
      next(metadata, listen(own, listener))
    },
    sendMessage(message: unknown, next) {
      request = message
      next(message)
    },
    cancel(next) {
      cancelled = true
      if (repeated === undefined) next()
      else repeated.cancelWithStatus(status.CANCELLED, 'Call cancelled')
    },
  }
}
