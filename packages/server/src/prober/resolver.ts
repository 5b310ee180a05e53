/** Host names to addresses, by the system’s resolver. */
import { lookup as lookUpHost } from 'node:dns'

/** Asks the system's resolver; answers with numeric addresses, none when the name is unknown. */
export type Lookup = (host: string, callback: (addresses: readonly string[]) => void) => void

/** Turns names into addresses without ever holding more than a few threads of this process. */
export interface AddressResolver {
  /** Answers once and later, never before returning; the returned function cancels. */
  resolve(host: string, callback: (addresses: readonly string[]) => void): () => void
}

/**
 * The system's resolver (hosts file, search domains and all), which is what the clients of the instance use.
 * The order is kept: it is the order in which a client would try the addresses.
 */
export const systemLookup: Lookup = (host, callback) => {
  lookUpHost(host, { all: true, verbatim: true }, (error, addresses) => {
    callback(error === null ? addresses.map((entry) => entry.address) : [])
  })
}

/**
 * At most `lookupsMax` questions are out at a time, because each holds a thread until the system gives up, which
 * may be long after the probe did. A second question for the same name shares the answer. What waits is bounded by
 * the callers: each probe has at most one question.
 */
export function createAddressResolver(lookup: Lookup, lookupsMax: number): AddressResolver {
  const asked = new Map<string, Set<(addresses: readonly string[]) => void>>()
  const waiting = new Map<string, Set<(addresses: readonly string[]) => void>>()

  function ask(host: string, callbacks: Set<(addresses: readonly string[]) => void>): void {
    asked.set(host, callbacks)
    lookup(host, (addresses) => {
      asked.delete(host)
      for (const callback of callbacks) callback(addresses)
      for (const [next, interested] of waiting) {
        if (asked.size >= lookupsMax) break
        waiting.delete(next)
        ask(next, interested)
      }
    })
  }

  return {
    resolve(host, callback) {
      let interested = asked.get(host) ?? waiting.get(host)
      if (interested !== undefined) {
        interested.add(callback)
      } else {
        interested = new Set([callback])
        if (asked.size < lookupsMax) ask(host, interested)
        else waiting.set(host, interested)
      }
      const own = interested
      return () => {
        own.delete(callback)
        if (own.size === 0 && waiting.get(host) === own) waiting.delete(host)
      }
    },
  }
}
