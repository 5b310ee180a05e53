/**
 * Browser safety: a page of some other site must not reach the node, neither by DNS rebinding (Host) nor by
 * a cross-site request (Origin). Programs send no Origin and an address or a configured name as Host.
 */
import { isIP } from 'node:net'
import { defined, isDnsName, RegistryError } from '@rollcall/wire'
import type { RequestHeaders } from './headers.js'

/** Distinct Host headers whose verdict is remembered. Clients of one node use a handful. */
const REMEMBERED_MAX = 256

/**
 * Names that no other site can have: of one label, as in a home network or a composition of containers, or of a service in
 * Kubernetes.
 */
const PRIVATE_NAME = /^(?:[a-z0-9_-]{1,63}|[a-z0-9._-]+\.svc(?:\.cluster\.local)?)$/

/** Decides whether a request may come in. What it throws names what was refused, in `details` too. */
export interface Gate {
  /** Throws `forbidden_host` unless Host is an address, a name that no other site can have, or an allowed one. */
  checkHost(headers: RequestHeaders, httpVersion: string): void
  /** Throws `forbidden_origin` when a browser sends the request for a page of another origin. */
  checkOrigin(headers: RequestHeaders): void
}

/** Builds the gate. Names in `allowedHosts` are compared without case, port and a dot at the end; none is ever looked up (ADR 12). */
export function createGate(allowedHosts: readonly string[]): Gate {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase().replace(/\.$/, '')))
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
      throw forbiddenHost(host)
    },
    checkOrigin({ origin, host }) {
      if (origin === undefined) return
      if (host !== undefined && originMatches(origin, host)) return
      throw new RegistryError('forbidden_origin', 'the request comes from a page of another origin', {
        details: defined({ origin: cut(origin), host: host === undefined ? undefined : cut(host) }),
      })
    },
  }
}

/**
 * The host of `host:port`, in lower case, without brackets, and a name of several labels without the dot of the root. One of
 * a single label keeps that dot: with it the name is that of a top-level domain, and no resolver looks for it nearby.
 */
function hostOf(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i.exec(header)
  const host = (match?.[1] ?? match?.[2])?.toLowerCase()
  return host !== undefined && /[^.]\.[^.]+\.$/.test(host) ? host.slice(0, -1) : host
}

/** Says what to do where the header is a name. */
function forbiddenHost(header: string | undefined): RegistryError {
  if (header === undefined) return new RegistryError('forbidden_host', 'the request names no host')
  const host = hostOf(header)
  if (host === undefined || !isDnsName(host))
    return new RegistryError('forbidden_host', 'the Host header is neither an address nor a host name', {
      details: { host: cut(header) },
    })
  const message = `this node does not go by the name ${host}: call it by its address, or start it with --allowed-hosts ${host} (allowedHosts in its configuration)`
  return new RegistryError('forbidden_host', message, { details: { host } })
}

/** As long as a DNS name may be. */
function cut(text: string): string {
  return text.length > 253 ? `${text.slice(0, 253)}…` : text
}

function originMatches(origin: string, host: string): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin)
  return match?.[1]?.toLowerCase() === host.toLowerCase()
}
