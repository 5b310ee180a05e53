/** The three nodes: each can be killed, stopped, started again with its journal, and asked for what it lists. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { ClusterResponse, View } from '@rollcall/wire'
import { end, freePort, startRegistry } from '../processes.js'

const ANSWER_MS_MAX = 5_000
const LOOK_MS = 20

/** One node of the cluster. */
export class ClusterNode {
  readonly name: string
  readonly port: number
  private readonly dataDir: string
  private readonly flags: readonly string[]
  private child: ChildProcess | undefined

  private constructor(name: string, port: number, dataDir: string, flags: readonly string[]) {
    this.name = name
    this.port = port
    this.dataDir = dataDir
    this.flags = flags
  }

  /** A node that does not run yet, on the preferred port if that is free. */
  static async prepare(
    name: string,
    preferredPort: number,
    directory: string,
    etcd: readonly string[],
  ): Promise<ClusterNode> {
    const flags = ['--node-id', name, '--cluster', 'demo', '--etcd', etcd.join(',')]
    return new ClusterNode(name, await freePort(preferredPort), join(directory, name), flags)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.child?.pid ?? 0
  }

  get runs(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  async start(): Promise<void> {
    this.child = await startRegistry(this.port, this.dataDir, this.flags)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child !== undefined) await end(this.child, signal)
  }

  cluster(): Promise<ClusterResponse> {
    return this.ask('cluster') as Promise<ClusterResponse>
  }

  async view(service: string): Promise<Pick<View, 'sign' | 'instances'>> {
    const response = await this.send(`services/${service}`)
    // A service that no instance has yet is not found; its list is empty.
    return response.ok ? ((await response.json()) as View) : { sign: '', instances: [] }
  }

  /** Sends a POST and resolves to its answer; rejects when that is no success. */
  async post(path: string, body: object): Promise<unknown> {
    return this.ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  private send(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}/api/v1/${path}`, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  }

  private async ask(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await this.send(path, init)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
}

/** A time in a sentence; `undefined` is one that was not kept. */
export function after(ms: number | undefined): string {
  return ms === undefined ? 'NOT IN TIME:' : `${ms} ms later`
}

/** Resolves to how long it took until a condition held; undefined when it did not in time. */
export async function within(
  ms: number,
  condition: () => Promise<boolean> | boolean,
): Promise<number | undefined> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < ms) {
    if (await condition()) return Math.round(performance.now() - startedAt)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return undefined
}
