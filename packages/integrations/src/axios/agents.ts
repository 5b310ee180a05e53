/** Agents for axios that keep connections, one pair per protocol. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SYSTEM_TIMING } from '../clock.js'

/** Idle connections kept per instance; more are closed after use. */
const IDLE_SOCKETS_MAX = 64

/** Agents that keep connections and give up connecting after a time, which axios has no option for. */
export interface Agents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}

/** Creates them; idle connections do not keep the process alive. */
export function createAgents(connectTimeoutMs: number): Agents {
  const options = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX }
  const httpAgent = new HttpAgent(options)
  const httpsAgent = new HttpsAgent(options)
  limitConnecting(httpAgent, 'connect', connectTimeoutMs)
  limitConnecting(httpsAgent, 'secureConnect', connectTimeoutMs)
  return { httpAgent, httpsAgent }
}

/** How agents make connections; not in the types of our Node floor. */
interface Connecting {
  createConnection(...args: readonly unknown[]): Duplex | null | undefined
}

function limitConnecting(agent: object, connected: string, timeoutMs: number): void {
  const connecting = agent as Connecting
  const create = connecting.createConnection.bind(agent)
  connecting.createConnection = (...args) => {
    const made = create(...args)
    if (made === null || made === undefined) return made
    const socket = made as Socket
    const late = (): void => {
      // As the kernel would say it, so that it counts as not sent.
      const error = Object.assign(new Error('connecting took too long'), {
        code: 'ETIMEDOUT',
        syscall: 'connect',
      })
      socket.destroy(error)
    }
    const limit = SYSTEM_TIMING.deadline(timeoutMs)
    limit.addEventListener('abort', late, { once: true })
    socket.once(connected, () => limit.removeEventListener('abort', late))
    return made
  }
}
