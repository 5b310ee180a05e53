/** A crowd of idle instances at the nodes of a cluster, held by one other process. */
import { once } from 'node:events'
import { end, start } from './processes.js'

export interface CrowdOptions {
  /** Of the nodes: sessions take turns among them. */
  readonly ports: readonly number[]
  /** Where those go that beat. */
  readonly balancer: string
  readonly sessions: number
  readonly perSession: number
  /** Instances that beat, a hundred in a request. */
  readonly beats: number
  readonly beatMs: number
  readonly leaseMs: number
  readonly services: number
}

/** What became of the crowd so far. */
export interface CrowdState {
  /** Sessions that ended. */
  readonly closed: number
  /** Beats of instances that a node did not know. */
  readonly unknown: number
  /** Requests that failed. */
  readonly failed: number
  readonly beats: number
}

export interface Crowd {
  state(): Promise<CrowdState>
  end(): Promise<void>
}

/** Starts a crowd, and resolves when all of it is registered. */
export async function startCrowd(options: CrowdOptions): Promise<Crowd> {
  const child = await start('crowd-child.mjs', JSON.stringify(options))
  return {
    async state() {
      const answer = once(child.process, 'message')
      child.process.send('state')
      return ((await answer) as [CrowdState])[0]
    },
    end: () => end(child, 'SIGKILL'),
  }
}
