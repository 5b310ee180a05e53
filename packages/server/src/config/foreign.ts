/** Where the protocols of other registries are served over HTTP: each at an address of its own, or not at all. */
import type { z } from 'zod'
import { parseHostPort } from './address.js'
import { text } from './fields.js'

/** The port that clients of each expect, on loopback: callers are not authenticated yet. */
const ADDRESSES = {
  eureka: '127.0.0.1:8761',
  consul: '127.0.0.1:8500',
} as const

export type ForeignProtocol = keyof typeof ADDRESSES

/** All of them, in the order of their settings. */
export const FOREIGN_PROTOCOLS: readonly ForeignProtocol[] = Object.keys(ADDRESSES) as ForeignProtocol[]

/** The setting with the address of one; what it does is said before what all of them have in common. */
export function foreignSetting(protocol: ForeignProtocol, reason: string): z.ZodOptional<z.ZodString> {
  const bare = ADDRESSES[protocol]
  return text(
    'HOST:PORT, with IPv6 in brackets',
    `${reason} Off by default. The flag alone, or \`true\`, means loopback and the port that such clients expect: ${bare}.`,
    (value) => parseHostPort(value) !== undefined,
    { bare },
  ).optional()
}
