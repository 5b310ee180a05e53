/** One member of etcd as a process of its own. */
import { startBound, type BoundProcess } from './lifeline.js'
import type { GatewayAnswer } from './gateway.js'

export interface EtcdMember {
  /** What clients are given, such as `http://127.0.0.1:20017`. */
  readonly endpoint: string
  readonly port: number
  readonly isRunning: boolean
  /** Id of its process; 0 while it does not run. */
  readonly pid: number
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  /** Starts it again with its data. It may not be ready yet. */
  start(): Promise<void>
  /** SIGSTOP, and waits until it has stopped: connections stand, and nothing answers. */
  pause(): Promise<void>
  resume(): void
  /** POST with a body, GET without one. Rejects without an answer. */
  ask(path: string, body?: unknown): Promise<GatewayAnswer>
  /** The last of what it wrote to its log. */
  said(): string
}

export interface MemberDeps {
  readonly program: string
  readonly args: readonly string[]
  readonly endpoint: string
  readonly ask: (url: string, body?: unknown) => Promise<GatewayAnswer>
}

/** A member that does not run yet. */
export function createMember({ program, args, endpoint, ask }: MemberDeps): EtcdMember {
  let last: BoundProcess | undefined
  const running = (): BoundProcess | undefined => (last?.isRunning === true ? last : undefined)
  return {
    endpoint,
    port: Number(new URL(endpoint).port),
    get isRunning() {
      return running() !== undefined
    },
    get pid() {
      return running()?.pid ?? 0
    },
    async kill() {
      last?.signal('SIGKILL')
      await last?.ended
    },
    async start() {
      if (running() === undefined) last = await startBound(program, args)
    },
    pause: async () => last?.pause(),
    resume: () => last?.signal('SIGCONT'),
    ask: (path, body) => ask(endpoint + path, body),
    said: () => last?.said() ?? '',
  }
}
