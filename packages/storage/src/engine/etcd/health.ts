/** What etcd says of itself, for people: version and alarms, read now and then from the member in use. */
import type { Clock, EngineStatus, Logger } from '@rollcall/core'
import type { Calls } from './calls.js'
import type { Endpoints } from './endpoints.js'

export interface Health {
  readonly version: string | undefined
  readonly alarms: EngineStatus['alarms']
  /** Reads soon, and from then on now and then. */
  look(): void
  /** Asks one member for its version; undefined where it does not say. */
  versionOf(endpoint: string): Promise<string | undefined>
  close(): void
}

export function createHealth(
  deps: {
    readonly calls: Calls
    readonly endpoints: Endpoints
    readonly clock: Clock
    readonly logger: Logger
  },
  statusMs: number,
): Health {
  const { calls, endpoints, clock, logger } = deps
  let version: string | undefined
  let alarms: readonly string[] = []
  let cancel: (() => void) | undefined
  let looking = false
  let closed = false

  async function read(endpoint: string): Promise<string | undefined> {
    const status = await calls.status(endpoint)
    version = status.version === '' ? undefined : status.version.slice(0, 40)
    const found = alarmsOf(status.errors)
    if (found.join() !== alarms.join()) {
      if (found.length > 0) logger.error({ alarms: found, endpoint }, 'etcd raises an alarm')
      else logger.info({ endpoint }, 'etcd has no alarm any more')
    }
    alarms = found
    return version
  }

  async function look(): Promise<void> {
    if (looking || closed) return
    looking = true
    cancel?.()
    try {
      await read(endpoints.current)
    } catch {
      // Whether etcd can be reached is found by those that need it.
    }
    looking = false
    if (!closed) cancel = clock.setTimer(statusMs, () => void look())
  }

  return {
    get version() {
      return version
    },
    get alarms() {
      return alarms
    },
    look: () => void look(),
    async versionOf(endpoint) {
      try {
        return await read(endpoint)
      } catch {
        return undefined
      }
    },
    close() {
      closed = true
      cancel?.()
    },
  }
}

/** Names of the alarms in what a member complains of, such as `memberID:1 alarm:NOSPACE `. */
function alarmsOf(errors: readonly string[]): string[] {
  const names = errors.flatMap((text) => /\balarm:"?([A-Z]{1,20})\b/.exec(text)?.[1] ?? [])
  return [...new Set(names)].filter((name) => name !== 'NONE').toSorted()
}

/**
 * Whether a member answers a request for progress behind the events that it speaks of. Before 3.4.25 and 3.5.8 it answers at
 * once, also while events wait to be sent (etcd pull request 15237).
 */
export function answersInOrder(version: string | undefined): boolean {
  const [, major, minor, patch] = (/^(\d+)\.(\d+)\.(\d+)/.exec(version ?? '') ?? []).map(Number)
  if (major === undefined || minor === undefined || patch === undefined) return false
  if (major !== 3) return major > 3
  if (minor === 4) return patch >= 25
  if (minor === 5) return patch >= 8
  return minor > 5
}
