/** IP addresses and CIDR blocks for allow lists. No DNS: a host name matches only itself. */

/** An address as its bytes: 4 for IPv4 (also when IPv4-mapped), 16 for IPv6. */
export type AddressBytes = readonly number[]

const DNS_LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/

/** Reads an IPv4 or IPv6 address; undefined for anything else. Zone ids are not accepted. */
export function parseAddress(text: string): AddressBytes | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): AddressBytes | undefined {
  const number = ipv4Number(text)
  if (number < 0) return undefined
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]
}

/** Four decimal numbers up to 255 without leading zeros, as one; otherwise -1. By hand: every registration passes here. */
function ipv4Number(text: string): number {
  let number = 0
  let parts = 1
  let digits = 0
  let value = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (digits === 0 || ++parts > 4) return -1
      number = number * 256 + value
      digits = 0
      value = 0
    } else {
      if (code < 48 || code > 57 || (digits > 0 && value === 0)) return -1
      value = value * 10 + code - 48
      if (value > 255) return -1
      digits++
    }
  }
  return parts === 4 && digits > 0 ? number * 256 + value : -1
}

function parseIpv6(text: string): AddressBytes | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || text.length > 45) return undefined
  const head = parseGroups(halves[0] as string, halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  const bytes = [...head, ...Array<number>(missing).fill(0), ...tail]
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return mapped ? bytes.slice(12) : bytes
}

/** `last`: the text ends the address, so that its last group may be an IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (last && group.includes('.') && index === groups.length - 1) {
      const ipv4 = parseIpv4(group)
      if (ipv4 === undefined) return undefined
      bytes.push(...ipv4)
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 255)
    }
  }
  return bytes
}

/** Whether the text is a DNS name: labels of letters, digits, `-` and `_`, at most 253 characters. */
export function isDnsName(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.')
  return labels.every((label) => DNS_LABEL.test(label)) && !/^\d+$/.test(labels[labels.length - 1] as string)
}

/** Whether a registration may name this host: IPv4, IPv6 or a DNS name. */
export function isHost(text: string): boolean {
  return parseAddress(text) !== undefined || isDnsName(text)
}

/**
 * One spelling of each host, to be compared and never shown: an address by its bytes, an IPv4-mapped one as the IPv4
 * address; a name in lower case and without the dot of the root.
 */
export function canonicalHost(host: string): string {
  if (ipv4Number(host) >= 0) return host
  const bytes = parseAddress(host)
  if (bytes !== undefined) return bytes.join(bytes.length === 4 ? '.' : ':')
  return host.toLowerCase().replace(/\.$/, '')
}

/** Whether two hosts are one, however they are written. */
export function sameHost(a: string, b: string): boolean {
  return a === b || canonicalHost(a) === canonicalHost(b)
}

/** Whether an allow-list entry has a meaning: an address, a CIDR block or a host name. */
export function isAllowEntry(entry: string): boolean {
  return parseCidr(entry) !== undefined || isDnsName(entry)
}

interface Cidr {
  readonly bytes: AddressBytes
  readonly bits: number
}

function parseCidr(entry: string): Cidr | undefined {
  const slash = entry.indexOf('/')
  const bytes = parseAddress(slash < 0 ? entry : entry.slice(0, slash))
  if (bytes === undefined) return undefined
  const bitsMax = bytes.length * 8
  if (slash < 0) return { bytes, bits: bitsMax }
  const length = entry.slice(slash + 1)
  if (!/^\d{1,3}$/.test(length) || Number(length) > bitsMax) return undefined
  return { bytes, bits: Number(length) }
}

/** Whether a host is on an allow list of addresses, CIDR blocks and host names. */
export function isAllowed(host: string, allow: readonly string[]): boolean {
  const address = parseAddress(host)
  return allow.some((entry) => {
    if (address === undefined) return sameHost(entry, host)
    const cidr = parseCidr(entry)
    return cidr !== undefined && contains(cidr, address)
  })
}

function contains(cidr: Cidr, address: AddressBytes): boolean {
  if (cidr.bytes.length !== address.length) return false
  const whole = cidr.bits >> 3
  for (let index = 0; index < whole; index++) if (cidr.bytes[index] !== address[index]) return false
  const rest = cidr.bits & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((cidr.bytes[whole] as number) & mask) === ((address[whole] as number) & mask)
}
