/** Kept connections by instance. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Instance } from '@rollcall/wire'

/** Idle connections kept per instance; more are closed after use. */
const IDLE_SOCKETS_MAX = 64

/**
 * Kept-alive connections, a pool per address. Connections in use are as many as there are calls; idle ones are
 * bounded, and closed when their instance leaves.
 */
export class Pools {
  private readonly agents = new Map<string, HttpAgent | HttpsAgent>()

  /** The pool of an instance. */
  of(instance: Instance): HttpAgent | HttpsAgent {
    const address = addressOf(instance)
    let agent = this.agents.get(address)
    if (agent === undefined) {
      const options = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX }
      agent = instance.protocol === 'https' ? new HttpsAgent(options) : new HttpAgent(options)
      this.agents.set(address, agent)
    }
    return agent
  }

  /** Closes the pools of all but these: idle connections at once, those in use after their answer. */
  retain(...lists: readonly (readonly Instance[])[]): void {
    if (this.agents.size === 0) return
    const present = new Set(lists.flatMap((list) => list.map(addressOf)))
    for (const [address, agent] of this.agents) {
      if (present.has(address)) continue
      this.agents.delete(address)
      agent.maxFreeSockets = 0
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy()
    }
  }

  /** Closes all connections, those in use too. */
  close(): void {
    for (const agent of this.agents.values()) agent.destroy()
    this.agents.clear()
  }
}

function addressOf({ protocol, host, port }: Instance): string {
  return `${protocol === 'https' ? 'https' : 'http'}://${host}:${port}`
}
