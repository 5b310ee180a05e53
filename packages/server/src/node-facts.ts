/** What the process around the rules of a node says of itself. */
import type { Clock } from '@rollcall/core'
import { defined, type JournalStatus, type ProcessFacts } from '@rollcall/wire'
import type { HostPort } from './config/address.js'

/** How a journal does, as it tells. */
export interface JournalReading {
  readonly failing: boolean
  readonly fault: string | undefined
  readonly error: string | undefined
  readonly queuedEntries: number
  readonly logBytes: number
  readonly snapshotBytes: number
  /** By the clock of the node. */
  readonly committedAt: number | undefined
}

export interface NodeFactsDeps {
  readonly clock: Clock
  /** Undefined for a node that keeps nothing on disk. */
  readonly journal: () => JournalReading | undefined
  readonly residentBytes: () => number
}

/** Creates the facts of a node that starts now. `address`: where others reach it, once it listens. */
export function createNodeFacts(
  { clock, journal, residentBytes }: NodeFactsDeps,
  address: () => HostPort,
): () => ProcessFacts {
  const beganAt = clock.now()
  const startedAt = new Date(clock.wallNow()).toISOString()
  return () => ({
    address: textOf(address()),
    startedAt,
    uptimeMs: Math.round(clock.now() - beganAt),
    journal: journalStatus(journal(), clock.now()),
    residentBytes: residentBytes(),
  })
}

/** `host:port`, with brackets around IPv6. */
function textOf({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function journalStatus(health: JournalReading | undefined, now: number): JournalStatus {
  if (health === undefined) return { durability: 'memory', failing: false }
  const { failing, fault, error, logBytes, snapshotBytes, queuedEntries, committedAt } = health
  return {
    durability: failing ? 'memory' : 'disk',
    failing,
    ...defined({ fault, error }),
    bytes: logBytes + snapshotBytes,
    queuedEntries,
    ...(committedAt === undefined ? {} : { lastCommitMs: Math.max(0, Math.round(now - committedAt)) }),
  }
}
