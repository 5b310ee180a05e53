/** The address rule: which addresses may be probed on behalf of which peer. Pure. */
import { BlockList, SocketAddress, isIP, isIPv4 } from 'node:net'

/** Whether a host may be probed; `resolve` means it is a name whose addresses must be asked one by one. */
export type AddressDecision = 'allowed' | 'forbidden' | 'resolve'

/** Where probes may go (a registry that connects to whatever it is told is a port scanner). */
export interface AddressRule {
  /** Judges a registered host. Makes no system call and, for the address of the peer itself, allocates nothing. */
  decide(host: string, peer: string | undefined): AddressDecision
  /** Judges a numeric address, such as one that a name resolved to. */
  allows(address: string, peer: string | undefined): boolean
}

/**
 * Addresses at which clouds hand out credentials (AWS, GCP and Azure, ECS tasks, AWS over IPv6, Alibaba).
 * They are never probed, not even for the peer that has the address, unless an operator listed them.
 */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  'fd00:ec2::254',
  '100.100.100.200',
])

/** `10.0.0.0/8`, `fd00::/8` or a single address, taken apart; undefined when it is neither. */
export function parseNetwork(
  text: string,
): { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const slash = text.indexOf('/')
  const address = slash === -1 ? text : text.slice(0, slash)
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return undefined
  const bits = version === 4 ? 32 : 128
  const digits = slash === -1 ? String(bits) : text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > bits) return undefined
  return { address, prefix: Number(digits), family: version === 4 ? 'ipv4' : 'ipv6' }
}

/**
 * One spelling per address: IPv6 as short as it gets, IPv4-mapped IPv6 as IPv4, no zone. Anything that is not
 * an address comes back unchanged.
 */
export function normalAddress(text: string): string {
  if (!text.includes(':')) return text
  const zone = text.indexOf('%')
  const bare = zone === -1 ? text : text.slice(0, zone)
  if (isIP(bare) !== 6) return text
  const short = new SocketAddress({ address: bare, family: 'ipv6' }).address
  const mapped = short.startsWith('::ffff:') ? short.slice('::ffff:'.length) : ''
  return isIPv4(mapped) ? mapped : short
}

/** Whether a numeric address is this machine talking to itself. Names are not addresses: false. */
export function isLoopback(address: string): boolean {
  const plain = normalAddress(address)
  return isIPv4(plain) ? plain.startsWith('127.') : plain === '::1'
}

/** Whether a host name always means this machine (RFC 6761). */
function isLocalhost(host: string): boolean {
  const lower = host.toLowerCase()
  return lower === 'localhost' || lower.endsWith('.localhost')
}

/**
 * The address rule of probes: the peer's own address, any loopback address for a loopback peer, and the
 * networks an operator listed. `networks` must have been checked with `parseNetwork`.
 */
export function createAddressRule(networks: readonly string[]): AddressRule {
  // One list per family: in a shared one `::/0` would contain every IPv4 address as well.
  const listed = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const network of networks) {
    const parsed = parseNetwork(network)
    if (parsed === undefined) throw new TypeError(`not a network: ${network}`)
    listed[parsed.family].addSubnet(parsed.address, parsed.prefix, parsed.family)
  }

  // Batches come from one peer, so remembering the last one spares 9,999 of 10,000 normalisations.
  let lastPeer: string | undefined
  let lastPeerNormal: string | undefined
  let lastPeerLoopback = false
  function remember(peer: string | undefined): void {
    if (peer === lastPeer) return
    lastPeer = peer
    lastPeerNormal = peer === undefined ? undefined : normalAddress(peer)
    lastPeerLoopback = lastPeerNormal !== undefined && isLoopback(lastPeerNormal)
  }

  function judge(address: string, version: number, peer: string | undefined): boolean {
    remember(peer)
    const plain = version === 6 ? normalAddress(address) : address
    if (plain === lastPeerNormal && !METADATA_ADDRESSES.has(plain)) return true
    if (lastPeerLoopback && isLoopback(plain)) return true
    if (networks.length === 0) return false
    return isIPv4(plain) ? listed.ipv4.check(plain, 'ipv4') : listed.ipv6.check(plain, 'ipv6')
  }

  return {
    allows(address, peer) {
      const version = isIP(address)
      return version !== 0 && judge(address, version, peer)
    },
    decide(host, peer) {
      const version = isIP(host)
      if (version !== 0) return judge(host, version, peer) ? 'allowed' : 'forbidden'
      remember(peer)
      // Only a loopback peer may mean this machine, whatever the resolver says.
      if (isLocalhost(host) && !lastPeerLoopback && networks.length === 0) return 'forbidden'
      return peer === undefined && networks.length === 0 ? 'forbidden' : 'resolve'
    },
  }
}
