/** Agents for axios that keep connections, one pair per protocol. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SYSTEM_TIMING } from '../clock.js'

/** Idle connections kept per instance; more are closed after use. */
const IDLE_SOCKETS_MAX = 64

/** What requests that bring no agent go through: connections are kept, and connecting ends after a time. */
export interface Agents {
  /** For the request: axios has no option for the time. */
  readonly options: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent }
  /** Whether an error is that of a connection that was not made, or not made secure: nothing was sent. */
  unmade(error: unknown): boolean
}

/** Creates them; idle connections do not keep the process alive. */
export function createAgents(connectTimeoutMs: number): Agents {
  const kept = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX }
  const options = { httpAgent: new HttpAgent(kept), httpsAgent: new HttpsAgent(kept) }
  const unmade = new WeakSet<object>()
  const failed = (error: Error): void => void unmade.add(error)
  followConnecting(options.httpAgent, 'connect', connectTimeoutMs, failed)
  followConnecting(options.httpsAgent, 'secureConnect', connectTimeoutMs, failed)
  return { options, unmade: (error) => typeof error === 'object' && error !== null && unmade.has(error) }
}

/** How agents make connections; not in the types of our Node floor. */
interface Connecting {
  createConnection(...args: readonly unknown[]): Duplex | null | undefined
}

function followConnecting(
  agent: object,
  connected: string,
  timeoutMs: number,
  failed: (error: Error) => void,
): void {
  const connecting = agent as Connecting
  const create = connecting.createConnection.bind(agent)
  connecting.createConnection = (...args) => {
    const made = create(...args)
    if (made === null || made === undefined) return made
    const socket = made as Socket
    const late = (): void => {
      socket.destroy(Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT' }))
    }
    const limit = SYSTEM_TIMING.deadline(timeoutMs)
    limit.addEventListener('abort', late, { once: true })
    socket.once('error', failed)
    socket.once(connected, () => {
      limit.removeEventListener('abort', late)
      socket.off('error', failed)
    })
    return made
  }
}
