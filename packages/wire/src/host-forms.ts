/**
 * What `address.ts` reads, as patterns for JSON schemas. They know no lookahead, which many readers of schemas lack. A test
 * holds reader and pattern against each other.
 */
import type { TextForm } from './limits.js'

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = `(?:${BYTE}\\.){3}${BYTE}`
const GROUP = '[0-9A-Fa-f]{1,4}'
const LAST_TWO = `(?:${GROUP}:${GROUP}|${IPV4})`

/** The groups before `::` where at most so many fit; none is one of them. */
const before = (most: number): string =>
  most === 1 ? `(?:${GROUP})?` : `(?:(?:${GROUP}:){0,${most - 1}}${GROUP})?`

/** By how many groups follow the `::`; it stands for one group or more. */
const IPV6 = [
  `(?:${GROUP}:){6}${LAST_TWO}`,
  `::(?:${GROUP}:){5}${LAST_TWO}`,
  `${before(1)}::(?:${GROUP}:){4}${LAST_TWO}`,
  `${before(2)}::(?:${GROUP}:){3}${LAST_TWO}`,
  `${before(3)}::(?:${GROUP}:){2}${LAST_TWO}`,
  `${before(4)}::${GROUP}:${LAST_TWO}`,
  `${before(5)}::${LAST_TWO}`,
  `${before(6)}::${GROUP}`,
  `${before(7)}::`,
].join('|')

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?'
const REST = '(?:[A-Za-z0-9_-]*[A-Za-z0-9_])'
/** Not of digits alone: by its first character that is none. */
const LAST_LABEL = `(?:[0-9]*[A-Za-z_]${REST}?|[0-9]+-${REST})`
const DNS = `(?:${LABEL}\\.)*${LAST_LABEL}\\.?`

/** A label has at most 63 characters. No address has so many without a dot. */
const LONG_LABEL = { pattern: '[^.]{64}' }

/** An IPv4 address, an IPv6 address or a DNS name, of 1 to 253 characters. */
export const HOST_FORM: TextForm = { pattern: `^(?:${IPV4}|${IPV6}|${DNS})$`, not: LONG_LABEL }

/** A DNS name, of 1 to 253 characters. */
export const DNS_FORM: TextForm = { pattern: `^${DNS}$`, not: LONG_LABEL }

const IPV4_BITS = '(?:0{0,2}[0-9]|0?[12][0-9]|0?3[0-2])'
const IPV6_BITS = '(?:0{0,2}[0-9]|0?[1-9][0-9]|1[01][0-9]|12[0-8])'

/** A host, or a CIDR block. An IPv4-mapped block counts its bits from the IPv4 address on, which the pattern leaves open. */
export const ALLOW_FORM: TextForm = {
  pattern: `^(?:${IPV4}(?:/${IPV4_BITS})?|(?:${IPV6})(?:/${IPV6_BITS})?|${DNS})$`,
  not: LONG_LABEL,
}
