import type { Clock, ServicesQuery } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'

/** Changes of the list of services are collected for this long before anybody is woken. */
const WINDOW_MS = 100

export interface ServicesWaitersDeps {
  readonly clock: Clock
  /** The present sign of the answer to a query. */
  readonly sign: (query: ServicesQuery) => string
}

/** Those who wait for another list of services than the one they have. */
export interface ServicesWaiters {
  /** Calls `wake` when the answer's sign is no longer `sign`. Throws `limit_exceeded` when there are too many. */
  add(query: ServicesQuery, sign: string, wake: () => void): () => void
  /** Tells how often the lists have changed by now; whoever waits is looked at soon if that is news. */
  changed(changes: number): void
  close(): void
}

interface Waiter {
  readonly query: ServicesQuery
  readonly sign: string
  readonly wake: () => void
}

/** Creates an empty set of waiters. */
export function createServicesWaiters(
  { clock, sign }: ServicesWaitersDeps,
  { waitersMax }: { readonly waitersMax: number },
): ServicesWaiters {
  const waiters = new Set<Waiter>()
  let seen = 0
  let latest = 0
  let cancelTimer: (() => void) | undefined

  /** Listing costs as much as there are services: it is done once for all who ask the same. */
  function look(): void {
    cancelTimer = undefined
    seen = latest
    const signs = new Map<string, string>()
    for (const { query, sign: known, wake } of [...waiters]) {
      const key = JSON.stringify([query.namespace, query.prefix, query.after, query.limit])
      const present = signs.get(key) ?? sign(query)
      signs.set(key, present)
      if (present !== known) wake()
    }
  }

  return {
    add(query, known, wake) {
      if (waiters.size >= waitersMax) {
        throw new RegistryError('limit_exceeded', 'the node holds as many waiting requests as it may', {
          details: { waitersMax },
        })
      }
      const waiter = { query, sign: known, wake }
      waiters.add(waiter)
      return () => waiters.delete(waiter)
    },
    changed(changes) {
      latest = changes
      if (waiters.size > 0 && seen !== latest) cancelTimer ??= clock.setTimer(WINDOW_MS, look)
    },
    close() {
      cancelTimer?.()
      cancelTimer = undefined
      waiters.clear()
    },
  }
}
