/** Where datagrams come from. Pure. */
import { parseAddress } from '@rollcall/wire'

/** Whether the address is of this machine itself, which cannot be forged from elsewhere. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address.startsWith('::ffff:127.') || address === '::1'
}

/** What counts as one source: an IPv4 address, or a /64 of IPv6, which is one customer or one network. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address
  const bytes = parseAddress(address.replace(/%.*$/, ''))
  if (bytes === undefined) return address
  return bytes.length === 4 ? bytes.join('.') : bytes.slice(0, 8).join('.')
}
