/** Hosts, ports and networks as settings write them. Pure. */
import { isIP, isIPv4 } from 'node:net'
import { isLoopback, parseNetwork } from '../prober/address-rule.js'

/** A host and a port. IPv6 hosts have no brackets here. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

const DNS_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

/** Whether the text is a host name; numbers with dots are addresses or nothing. */
export function isHostName(text: string): boolean {
  return DNS_NAME.test(text) && !/(^|\.)\d+$/.test(text)
}

/** Reads `HOST:PORT` with an IPv4 address, a bracketed IPv6 address or a name; undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const [, bracketed, plain, digits] = match
  const port = Number(digits)
  if (port > 65_535) return undefined
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined
  if (plain === undefined || !(isIPv4(plain) || isHostName(plain))) return undefined
  return { host: plain, port }
}

/** Whether only this machine can reach a listener there. Names other than localhost may mean anything: false. */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === 'localhost' || isLoopback(host)
}

/** Whether the host means every interface, which is good to listen on and no good as an address to call. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host)
}

/** Whether an allow list may hold the text: an address, a CIDR block or a host name. */
export function isAllowEntry(text: string): boolean {
  return parseNetwork(text) !== undefined || isHostName(text)
}
