/**
 * Browser safety: a page of some other site must not reach the node, neither by DNS rebinding (Host) nor by
 * a cross-site request (Origin). Programs send no Origin and an address or a configured name as Host.
 */
import { isIP } from 'node:net'
import { RegistryError } from '@rollcall/wire'
import type { RequestHeaders } from './headers.js'

/** Distinct Host headers whose verdict is remembered. Clients of one node use a handful. */
const REMEMBERED_MAX = 256

/**
 * Names that no other site can have: of one label, as in a home network or a composition of containers, or of a service in
 * Kubernetes.
 */
const PRIVATE_NAME = /^(?:[a-z0-9_-]{1,63}|[a-z0-9._-]+\.svc(?:\.cluster\.local)?)$/

/** Decides whether a request may come in. */
export interface Gate {
  /** Throws `forbidden_host` unless Host is an address, a name that no other site can have, or an allowed one. */
  checkHost(headers: RequestHeaders, httpVersion: string): void
  /** Throws `forbidden_origin` when a browser sends the request for a page of another origin. */
  checkOrigin(headers: RequestHeaders): void
}

/** Builds the gate. Names in `allowedHosts` are compared without case and port. */
export function createGate(allowedHosts: readonly string[]): Gate {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()))
  const remembered = new Map<string, boolean>()
  const mayServe = (header: string): boolean => {
    const known = remembered.get(header)
    if (known !== undefined) return known
    const host = hostOf(header)
    const verdict = host !== undefined && (isIP(host) !== 0 || PRIVATE_NAME.test(host) || allowed.has(host))
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    if (header.length <= 512) remembered.set(header, verdict)
    return verdict
  }
  return {
    checkHost({ host }, httpVersion) {
      // HTTP/1.0 knows no Host, and no browser sends HTTP/1.0.
      if (host === undefined && httpVersion === '1.0') return
      if (host !== undefined && mayServe(host)) return
      throw new RegistryError(
        'forbidden_host',
        'the Host header names neither an address nor an allowed host; allow a name with --advertise or --allowed-hosts',
      )
    },
    checkOrigin({ origin, host }) {
      if (origin === undefined) return
      if (host !== undefined && originMatches(origin, host)) return
      throw new RegistryError('forbidden_origin', 'the request comes from a page of another origin')
    },
  }
}

/** The host of `host:port`, in lower case and without brackets. */
function hostOf(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i.exec(header)
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

function originMatches(origin: string, host: string): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin)
  return match?.[1]?.toLowerCase() === host.toLowerCase()
}
