/**
 * The head of a request as RFC 9112 has it read (sections 3.2 and 3.2.2), whatever answers it: one Host, and a target with
 * a host of its own brought into the common form. What judges the host afterwards sees the one that counts.
 */
import type { IncomingMessage } from 'node:http'
import { headFaults, type Fault } from './client-faults.js'

/** `http://host:port/path?query`; what else has a scheme is not for an origin server, nor is one with a user. */
const ABSOLUTE = /^https?:\/\/([^/?#@\s]+)([/?].*)?$/i

/** Brings a head into the common form; or says what is wrong with it. */
export function settleHead(request: IncomingMessage): Fault | undefined {
  const { rawHeaders, url = '/' } = request
  let at = -1
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (at >= 0) return headFaults.twoHosts
    at = index + 1
  }
  if (at < 0 && request.httpVersion !== '1.0') return headFaults.noHost
  // `OPTIONS *` is about the server as a whole, and leads nowhere here.
  if (url.startsWith('/') || url === '*') return undefined
  const absolute = ABSOLUTE.exec(url)
  if (absolute === null) return headFaults.target
  const [, host = '', path = '/'] = absolute
  request.url = path.startsWith('/') ? path : `/${path}`
  if (at < 0) rawHeaders.push('Host', host)
  else rawHeaders[at] = host
  request.headers.host = host
  return undefined
}

/** The path and query of a target that may be absolute. */
export function pathOf(target: string | undefined): string | undefined {
  return ABSOLUTE.exec(target ?? '')?.[2] ?? target
}
