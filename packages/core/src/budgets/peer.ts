/** What counts as one peer: a remote address; under IPv6 its /64, of which one host has as many addresses as it likes. */
import { isAllowed, parseAddress } from '@rollcall/wire'

/** How much of a budget one peer may hold while the node is under pressure. */
export interface PeerBounds {
  /** Share of each budget, from 0 to 1. */
  readonly share: number
  /** Addresses and CIDR blocks that stand for many clients: no bound of their own. */
  readonly sharedNetworks: readonly string[]
}

export const PEER_DEFAULTS: PeerBounds = { share: 0.5, sharedNetworks: [] }

/** Bytes of an IPv6 address that name its network. */
const NETWORK_BYTES = 8

/** The address that was named last: a batch asks several times for each of its items. */
let last = { address: '', peer: '' }

/** The name under which the address is accounted. What is no address, such as the name of a socket, stands for itself. */
export function peerOf(address: string): string {
  if (!address.includes(':')) return address
  if (last.address !== address) last = { address, peer: networkOf(address) }
  return last.peer
}

function networkOf(address: string): string {
  const bytes = parseAddress(bare(address))
  if (bytes === undefined) return address
  if (bytes.length === 4) return bytes.join('.')
  const groups: string[] = []
  for (let at = 0; at < NETWORK_BYTES; at += 2)
    groups.push((((bytes[at] as number) << 8) | (bytes[at + 1] as number)).toString(16))
  return `${groups.join(':')}::/64`
}

/** Whether the address stands for many clients. */
export function isShared(address: string, { sharedNetworks }: PeerBounds): boolean {
  return isAllowed(bare(address), sharedNetworks)
}

/** Without the zone, which says something to this machine only. */
function bare(address: string): string {
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}
