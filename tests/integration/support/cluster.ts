/** A cluster of real processes: nodes as `rollcall serve` runs them, joined by real members of etcd. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  startEtcd,
  startServerProcess,
  type EtcdCertificates,
  type EtcdCluster,
  type ServerProcess,
  type ServerProcessOptions,
} from '@rollcall/testkit'
import type { ClusterResponse, View } from '@rollcall/wire'
import type { NetworkHost } from './network.js'
import { freePort, until } from './processes.js'

export interface ClusterSetUp {
  /** Path of etcd. */
  readonly program: string
  /** Members want certificates of clients. Default: plain text. */
  readonly tls?: EtcdCertificates
  /** A host for each node. Default: all on loopback. */
  readonly hosts?: readonly NetworkHost[]
  /** A host for each member. Default: all on loopback. */
  readonly memberHosts?: readonly NetworkHost[]
  /** Default 3. */
  readonly nodes?: number
  /** Where the others and clients reach a node that listens on this port of loopback, as HOST:PORT. Default: there. */
  readonly reach?: (port: number) => Promise<string>
  /** Further arguments of each node. */
  readonly args?: readonly string[]
  /** Added to the environment of each node. */
  readonly env?: Readonly<Record<string, string>>
  /** Called before the first node starts. */
  readonly prepare?: (etcd: EtcdCluster) => Promise<void>
  /** What each node is told of the members; default: where they listen. */
  readonly endpoints?: (node: number, members: readonly string[]) => readonly string[]
}

/** A node that can be started again in its place, with its journal. */
export interface ClusterNodeProcess {
  readonly name: string
  readonly url: string
  readonly host: string
  readonly port: number
  readonly isRunning: boolean
  readonly server: ServerProcess
  kill(): Promise<void>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
  start(options?: ServerProcessOptions): Promise<void>
  /** Of one that does not run: it will begin with nothing. */
  putJournalAway(): void
  cluster(): Promise<ClusterResponse>
  view(service: string): Promise<View>
  /** A figure of its metrics: the sum of all lines that begin so. */
  figure(beginning: string): Promise<number>
}

export interface TestCluster {
  readonly etcd: EtcdCluster
  readonly nodes: readonly ClusterNodeProcess[]
  readonly registries: readonly string[]
  /** Resolves to how long it took until all nodes that run know each other and follow the engine. */
  ready(timeoutMs?: number): Promise<number>
  /** Resolves once all nodes that run hold the same list of a service, of so many instances that are up. */
  agree(service: string, up: number, timeoutMs?: number): Promise<number>
  close(): Promise<void>
}

/** Starts members and nodes, and resolves once all know each other. */
export async function startCluster(setUp: ClusterSetUp): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-cluster-'))
  const { program, tls, memberHosts: places } = setUp
  const etcd = await startEtcd({ program, ...(tls && { tls }), ...(places && { places }) })
  await setUp.prepare?.(etcd)
  const nodes: Node[] = []
  for (let index = 0; index < (setUp.nodes ?? 3); index++) {
    const endpoints = setUp.endpoints?.(index, etcd.endpoints) ?? etcd.endpoints
    const name = `n${index + 1}`
    const host = setUp.hosts?.[index]
    const port = await freePort()
    const advertised = host === undefined ? await setUp.reach?.(port) : `${host.address}:${port}`
    nodes.push(new Node(name, port, join(folder, name), endpoints, setUp, host, advertised))
  }
  const cluster = new Cluster(etcd, nodes, folder)
  try {
    await Promise.all(nodes.map((node) => node.start()))
    await cluster.ready()
  } catch (error) {
    await cluster.close()
    throw error
  }
  return cluster
}

class Cluster implements TestCluster {
  readonly etcd: EtcdCluster
  readonly nodes: readonly Node[]
  private readonly folder: string

  constructor(etcd: EtcdCluster, nodes: readonly Node[], folder: string) {
    this.etcd = etcd
    this.nodes = nodes
    this.folder = folder
  }

  get registries(): readonly string[] {
    return this.nodes.map(({ url }) => url)
  }

  ready(timeoutMs?: number): Promise<number> {
    const running = this.running()
    const know = async (node: Node): Promise<boolean> => {
      const { nodes, engine } = await node.cluster()
      const ready = nodes.filter(({ state }) => state === 'ready')
      return engine.state === 'connected' && ready.length === running.length
    }
    return until(
      async () => (await Promise.all(running.map(know))).every(Boolean),
      'all nodes know each other',
      timeoutMs,
    )
  }

  agree(service: string, up: number, timeoutMs?: number): Promise<number> {
    return until(
      async () => {
        const views = await Promise.all(this.running().map((node) => node.view(service)))
        const [first] = views
        return views.every(
          ({ sign, instances }) =>
            sign === first?.sign && instances.filter(({ state }) => state === 'up').length === up,
        )
      },
      `${up} instances of ${service} at all nodes`,
      timeoutMs,
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.running().map((node) => node.kill()))
    await this.etcd.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private running(): readonly Node[] {
    return this.nodes.filter(({ isRunning }) => isRunning)
  }
}

class Node implements ClusterNodeProcess {
  readonly name: string
  readonly host: string
  readonly port: number
  private readonly place: NetworkHost | undefined
  private readonly dataDir: string
  private readonly args: readonly string[]
  private readonly env: Readonly<Record<string, string>>
  private last: ServerProcess | undefined

  constructor(
    name: string,
    port: number,
    dataDir: string,
    endpoints: readonly string[],
    setUp: ClusterSetUp,
    place?: NetworkHost,
    advertised?: string,
  ) {
    this.name = name
    this.host = place?.control ?? '127.0.0.1'
    this.port = port
    this.place = place
    this.dataDir = dataDir
    this.env = setUp.env ?? {}
    const own = ['--node-id', name, '--cluster', 'test', '--etcd', endpoints.join(',')]
    const reached = advertised === undefined ? [] : ['--advertise', advertised]
    if (place !== undefined) reached.push('--insecure-listen')
    this.args = [...own, '--log-level', 'info', ...reached, ...(setUp.args ?? [])]
  }

  get url(): string {
    return `http://${this.host}:${this.port}`
  }

  get isRunning(): boolean {
    return (
      this.last !== undefined && this.last.process.exitCode === null && this.last.process.signalCode === null
    )
  }

  get server(): ServerProcess {
    if (this.last === undefined) throw new Error(`${this.name} was not started`)
    return this.last
  }

  async start(options: ServerProcessOptions = {}): Promise<void> {
    const { port, dataDir, place } = this
    const env = { ...this.env, ...options.env }
    const args = [...this.args, ...(options.args ?? [])]
    // On a host of its own it listens to both: what this process asks, and what comes by the network under test.
    const listen = `${place === undefined ? this.host : '0.0.0.0'}:${port}`
    const below = place?.command
    this.last = await startServerProcess({ listen, dataDir, below, ...options, args, env })
  }

  kill(): Promise<void> {
    return this.server.kill()
  }

  async stop(): Promise<void> {
    await this.server.stop()
  }

  putJournalAway(): void {
    renameSync(this.dataDir, `${this.dataDir}-away-${Date.now()}`)
  }

  cluster(): Promise<ClusterResponse> {
    return this.get('/api/v1/cluster') as Promise<ClusterResponse>
  }

  async view(service: string): Promise<View> {
    // A service that no instance has yet is not found; its list is empty.
    const view = (await this.get(`/api/v1/services/${service}`)) as Partial<View>
    return { ...(view as View), instances: view.instances ?? [], sign: view.sign ?? '' }
  }

  async figure(beginning: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(beginning))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  private async get(path: string): Promise<unknown> {
    const answer = await fetch(this.url + path, { signal: AbortSignal.timeout(10_000) })
    return answer.json()
  }
}
