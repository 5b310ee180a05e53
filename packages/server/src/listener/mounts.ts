/** What answers where: the mounts of a listener, as data. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** What answers at a path. */
export interface Mount {
  /** Such as `/livez`; one that ends with `/` is for all paths that begin with it. The longest that fits counts. */
  readonly path: string
  /** Answers a request, now or later. What it throws before it returns is logged and answered with 500. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void
  /**
   * Takes over the connection of a request for WebSocket. What it throws is logged and the socket destroyed. Where
   * there is none the offer is ignored and the request answered.
   */
  handleUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Finds the mount of a URL. One of `mounts` must be `/`, for whatever the others leave. */
export function createMountTable(mounts: readonly Mount[]): (url: string | undefined) => Mount {
  const byLength = mounts.toSorted((a, b) => b.path.length - a.path.length)
  const rest = mounts.find(({ path }) => path === '/')
  if (rest === undefined) throw new Error('no mount for /')
  return (url = '/') => byLength.find(({ path }) => isAt(url, path)) ?? rest
}

function isAt(url: string, path: string): boolean {
  if (!url.startsWith(path)) return false
  return path.endsWith('/') || url.length === path.length || url[path.length] === '?'
}
