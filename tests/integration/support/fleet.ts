/** Many instances in one process, which can be killed, frozen, or run on another host. */
import { connect, type Socket } from 'node:net'
import { end, start, type Child } from './processes.js'

/** What a fleet consists of. */
export interface FleetOptions {
  readonly registry: string
  /** What the sessions are told of nodes. Default: `registry` alone. */
  readonly registries?: readonly string[]
  readonly service: string
  /** Address it listens on and registers. Default 127.0.0.1. */
  readonly host?: string
  /** Instances with a session of their own. Default none. */
  readonly sessions?: number
  /** Instances that beat over HTTP, a hundred in a request. Default none. */
  readonly beats?: number
  /** Where beats and their registrations go, in turn; to the next one where one does not answer. Default: `registry`. */
  readonly beatAt?: readonly string[]
  /** Default 5,000. */
  readonly beatMs?: number
  /** Lease of them all; in a session it matters only after a restart of the node. Default: the node's. */
  readonly leaseMs?: number
  /** Registers ports from here on, on which no process listens: one wrong probe is enough. Default: every port answers. */
  readonly silentPortsFrom?: number
  /** Connections that a port takes while its process accepts none. Default 1, so that `freeze` can take them all. */
  readonly backlog?: number
}

/** A fleet that is registered. */
export interface Fleet {
  readonly sessions: readonly string[]
  readonly beats: readonly string[]
  /** All of them. */
  readonly ids: readonly string[]
  /** SIGKILL; does not wait. */
  kill(): void
  /**
   * To the registry, a host that went silent: the process is stopped, and its ports swallow connection attempts,
   * because what the kernel would accept in its place is taken.
   */
  freeze(): Promise<void>
  /** The process hangs, while its ports go on accepting. */
  hang(): void
  /** Ends either. */
  thaw(): void
  /** SIGKILL, and waits. */
  end(): Promise<void>
}

/** Connections that fill what a port holds for a process that does not accept; a few more do no harm. */
const FILLING = 4

/** Starts a fleet and resolves when all of it is registered. `command`: what runs it, such as another host's. */
export async function startFleet(options: FleetOptions, command?: readonly string[]): Promise<Fleet> {
  const child = await start(
    { script: 'fleet-child.mjs', ...(command && { command }) },
    JSON.stringify(options),
  )
  const { sessions, beats } = JSON.parse(child.ready) as Pick<Fleet, 'sessions' | 'beats'>
  return fleetOf(child, sessions, beats)
}

function fleetOf(child: Child, sessions: readonly string[], beats: readonly string[]): Fleet {
  const ids = [...sessions, ...beats]
  const filling: Socket[] = []
  return {
    sessions,
    beats,
    ids,
    kill: () => void child.process.kill('SIGKILL'),
    hang: () => void child.process.kill('SIGSTOP'),
    async freeze() {
      child.process.kill('SIGSTOP')
      await Promise.all(ids.map(async (id) => filling.push(...(await fill(id)))))
    },
    thaw() {
      for (const socket of filling.splice(0)) socket.destroy()
      child.process.kill('SIGCONT')
    },
    async end() {
      for (const socket of filling.splice(0)) socket.destroy()
      await end(child, 'SIGKILL')
    },
  }
}

/** Takes every place in the queue of a port; rejects if it goes on accepting. */
async function fill(id: string): Promise<Socket[]> {
  const [host, port] = id.split(':')
  const sockets = Array.from({ length: FILLING }, () => connect(Number(port), host).on('error', () => {}))
  const accepted = await Promise.all(sockets.map(isAccepted))
  if (accepted.every(Boolean)) throw new Error(`${id} swallows no connections`)
  return sockets
}

function isAccepted(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 100)
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
