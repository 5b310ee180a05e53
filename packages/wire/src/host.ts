/** What a registration may name as its host, and what is said of anything else. Pure. */
import { type AddressBytes, canonicalHost, isHost, parseAddress } from './address.js'

/** What is wrong with the form of a host; undefined where it is one. */
export function formFault(host: string): string | undefined {
  if (isHost(host)) return undefined
  return `host ${wrongForm(host)}`
}

function wrongForm(host: string): string {
  const inner = /^\[(.*)\]$/.exec(host)?.[1]
  if (inner !== undefined && isHost(inner)) return `must be written without brackets: ${inner}`
  if (/\s/.test(host)) return 'must not contain spaces'
  if (host.includes('://')) return 'must be a name or an address, without a scheme, a port and a path'
  if (/[/*]/.test(host)) return 'must be one host, without a path, a prefix length and wildcards'
  if (/^(\[.*\]|[^:]*):\d+$/.test(host))
    return 'must be written without its port, which has a field of its own'
  const zone = host.indexOf('%')
  if (zone >= 0 && parseAddress(host.slice(0, zone)) !== undefined)
    return 'must not have a zone id, which means something on its own machine only'
  return 'must be an IPv4 address, an IPv6 address or a DNS name'
}

/**
 * What is wrong with the host of a registration; undefined where it is fine. `peer`, the address it comes from, is suggested
 * where the host is one to listen on.
 */
export function hostFault(host: string, peer?: string): string | undefined {
  const address = parseAddress(host)
  if (address === undefined) return formFault(host)
  if (address.every((byte) => byte === 0)) {
    const suggestion = suggestionOf(peer)
    const came = suggestion === undefined ? '' : `; this came from ${suggestion}`
    return `host ${host} is where you listen, not where others reach you${came}`
  }
  const reached = reachedBy(address)
  return reached === undefined
    ? undefined
    : `host ${host} is a ${reached} address: no single instance is reached at it`
}

/** The address of the peer, if others could reach it there too. */
function suggestionOf(peer: string | undefined): string | undefined {
  const address = peer === undefined ? undefined : parseAddress(peer)
  if (peer === undefined || address === undefined) return undefined
  if (address.length === 4) return address[0] === 127 ? undefined : canonicalHost(peer)
  return canonicalHost(peer) === canonicalHost('::1') ? undefined : peer
}

function reachedBy(address: AddressBytes): 'broadcast' | 'multicast' | undefined {
  const first = address[0] as number
  if (address.length === 16) return first === 255 ? 'multicast' : undefined
  if (address.every((byte) => byte === 255)) return 'broadcast'
  return first >= 224 && first <= 239 ? 'multicast' : undefined
}
