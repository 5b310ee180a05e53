/** One connection of a link, and when it is to be pinged or given up. */
import type { WelcomeMessage } from '@rollcall/wire'

/** One connection: dialing until `open`, then `welcomed` when the node has answered the hello. */
export interface NodeConnection {
  readonly id: number
  readonly url: string
  readonly since: number
  /** It is given up if it is not welcomed by then. */
  readonly welcomeBy: number
  phase: 'dialing' | 'open' | 'welcomed'
  /** What the client wants of a node may be said on it. */
  ready: boolean
  lastSentAt: number
  lastHeardAt: number
  lastPingAt: number
  welcome?: WelcomeMessage
  island: boolean
  /** The nodes that it named last: as an island's word they take nothing away, and count again when it is none any more. */
  named: readonly string[]
  /** Asked to leave by the node; `rebalance`: only if there is room elsewhere. */
  leaving: 'stopping' | 'rebalance' | undefined
}

/** Bounds of what a node may ask for: a ping too often is a flood, one too rarely leaves a dead stream undetected. */
const PING_MS_MIN = 10
const PING_MS_MAX = 60_000

/** A connection that is dialed now, and is to be welcomed within so long. */
export function dialed(id: number, url: string, now: number, timeoutMs: number): NodeConnection {
  return {
    id,
    url,
    since: now,
    welcomeBy: now + timeoutMs,
    phase: 'dialing',
    ready: false,
    lastSentAt: now,
    lastHeardAt: now,
    lastPingAt: now,
    island: false,
    named: [],
    leaving: undefined,
  }
}

/** How often its node wants to hear something. */
export function pingMsOf({ welcome }: NodeConnection): number {
  return Math.min(PING_MS_MAX, Math.max(PING_MS_MIN, welcome?.pingMs ?? 0))
}

/** So that the node hears this client, and this client the node: much of what it says is never answered. */
export function pingAt(connection: NodeConnection): number {
  const { lastSentAt, lastHeardAt, lastPingAt } = connection
  return Math.min(lastSentAt, Math.max(lastHeardAt, lastPingAt)) + pingMsOf(connection)
}

/** When it counts as dead if nothing arrives. */
export function silenceEndsAt(connection: NodeConnection, silencePings: number): number {
  return connection.lastHeardAt + silencePings * pingMsOf(connection)
}
