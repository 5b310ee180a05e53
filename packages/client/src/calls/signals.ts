/** Listeners to the signals of callers. */
import { setMaxListeners } from 'node:events'

/** So many listeners on one signal are a mistake after all. */
const LISTENERS_MAX = 100_000

/**
 * Calls `listener` when a signal is aborted, or soon where it is already; the result takes the listener away. One signal may
 * end any number of calls and loops: as many listeners are no leak, and Node would warn of more than ten.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => undefined
  if (signal.aborted) return soon(listener)
  if (signal instanceof EventTarget) setMaxListeners(LISTENERS_MAX, signal)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** No event comes any more, and who asks is not ready for an answer yet. */
function soon(listener: () => void): () => void {
  let wanted = true
  queueMicrotask(() => wanted && listener())
  return () => void (wanted = false)
}
