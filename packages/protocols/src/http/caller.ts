/** On whose behalf a request is made, as far as its connection tells. */
import type { IncomingMessage } from 'node:http'
import { ANONYMOUS, type Caller } from '@rollcall/core'

/** The caller at the other end of a request's connection. */
export function callerOf({ socket: { remoteAddress } }: IncomingMessage): Caller {
  if (remoteAddress === undefined) return { principal: ANONYMOUS }
  // A listener for both families shows IPv4 addresses as IPv6: ::ffff:10.0.0.1.
  const peer = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress
  return { principal: ANONYMOUS, peer }
}
