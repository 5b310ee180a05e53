/** The numbers of DNS that this adapter knows: types, classes, operations and codes of answers (RFC 1035, 2782, 6891). */

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const

export const CLASS = { IN: 1, ANY: 255 } as const

/** How a query is answered. `badVersion` needs EDNS to be said: its number has more bits than the header. */
export const RCODE = {
  ok: 0,
  formatError: 1,
  failure: 2,
  noName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const

/** What a reader without EDNS takes over UDP. */
export const PLAIN_BYTES_MAX = 512

/** What the length of a message over TCP can say. */
export const MESSAGE_BYTES_MAX = 65_535
