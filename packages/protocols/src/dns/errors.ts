/** From core codes to the one code of DNS for a server that cannot answer: SERVFAIL. */
import type { Clock, Logger } from '@rollcall/core'
import { isRegistryError } from '@rollcall/wire'
import { RCODE } from './numbers.js'

/** At most one line about faults of our own in this time: anyone may send a datagram. */
const LOG_INTERVAL_MS = 10_000

/** Makes the function that gives the code for what was thrown: a reader may ask another server. A fault of our own is logged. */
export function createFaults({
  clock,
  logger,
}: {
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
}): (error: unknown) => number {
  let loggedAt = -Infinity
  let faults = 0
  return (error) => {
    if (isRegistryError(error)) return RCODE.failure
    faults++
    if (clock.now() - loggedAt >= LOG_INTERVAL_MS) {
      logger.error({ error, faults }, 'a DNS query failed')
      loggedAt = clock.now()
      faults = 0
    }
    return RCODE.failure
  }
}
