/** The addresses of a node: one listener each, started together and closed together. */
import {
  createHttpListener,
  type BoundAddress,
  type HttpListenerDeps,
  type HttpListenerOptions,
} from './http-listener.js'

/** One or more, the node's own first. */
type OneOrMore<T> = readonly [T, ...T[]]

/** What listens for another protocol than HTTP. */
export type OtherListener = Pick<Listeners, 'close'> & { start(): Promise<BoundAddress> }

/** All listeners of a node. */
export interface Listeners {
  /** Begins to accept on every address, in order; rejects, with all of them closed, when one cannot be had. */
  start(): Promise<OneOrMore<BoundAddress>>
  /** Closes all of them, each with the same deadline. Idempotent. */
  close(deadlineMs?: number): Promise<void>
}

/** Creates the listeners of a node: those for HTTP by their options, and others, which are started after them. */
export function createListeners(
  deps: HttpListenerDeps,
  [own, ...more]: OneOrMore<HttpListenerOptions>,
  foreign: readonly OtherListener[] = [],
): Listeners {
  const first = createHttpListener(deps, own)
  const others = [...more.map((options) => createHttpListener(deps, options)), ...foreign]
  const close = async (deadlineMs?: number): Promise<void> => {
    await Promise.all([first, ...others].map((listener) => listener.close(deadlineMs)))
  }
  return {
    async start() {
      try {
        const bound: [BoundAddress, ...BoundAddress[]] = [await first.start()]
        for (const listener of others) bound.push(await listener.start())
        return bound
      } catch (error) {
        await close(0)
        throw error
      }
    },
    close,
  }
}
