/**
 * Clients that poll lists instead of subscribing. They cannot be told; all that is known is that after
 * the interval they announce, or else a common one, they have asked again.
 */

/** Interval of a poller that announces none. */
const EVERY_MS = 5_000

/** A service that was not asked for within this long, or within two of the announced intervals, has no pollers. */
const RECENT_MS = 60_000

/** Services that are remembered. Beyond them every service counts as polled, until those asked for have aged. */
const SERVICES_MAX = 10_000

/** Looking for those that have aged costs as much as there are: it is done no more often than this. */
const TIDY_GAP_MS = 1_000

interface Polling {
  at: number
  /** The longest interval that is going on. */
  everyMs: number
}

export class Pollers {
  private readonly services = new Map<string, Polling>()
  private crowdedAt = -Infinity
  private tidiedAt = -Infinity

  /** A client asked for the list of a service, and announced how often it does. */
  noted(key: string, everyMs: number | undefined, now: number): void {
    const known = this.services.get(key)
    const interval = everyMs ?? EVERY_MS
    if (known !== undefined) {
      known.everyMs = isRecent(known, now) ? Math.max(known.everyMs, interval) : interval
      known.at = now
      return
    }
    if (this.services.size >= SERVICES_MAX && now - this.tidiedAt >= TIDY_GAP_MS) this.tidy(now)
    if (this.services.size >= SERVICES_MAX) this.crowdedAt = now
    else this.services.set(key, { at: now, everyMs: interval })
  }

  /** How much longer than `ageMs` after a change it takes until all pollers have asked again; 0 = there are none, or all have. */
  waitMs(key: string, ageMs: number, now: number): number {
    const known = this.services.get(key)
    const polled = known !== undefined && isRecent(known, now)
    const everyMs = polled ? known.everyMs : now - this.crowdedAt < RECENT_MS ? EVERY_MS : 0
    return Math.max(0, everyMs - ageMs)
  }

  private tidy(now: number): void {
    this.tidiedAt = now
    for (const [key, polling] of this.services) if (!isRecent(polling, now)) this.services.delete(key)
  }
}

function isRecent({ at, everyMs }: Polling, now: number): boolean {
  return now - at < Math.max(RECENT_MS, 2 * everyMs)
}
