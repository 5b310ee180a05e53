/** Everything that runs in the demo of a cluster: members of etcd, nodes, providers, the consumer, and those who look at them. */
import { startEtcd, type EtcdCluster } from '@rollcall/testkit'
import type { Message } from '../messages.js'
import { act, type Outcome, tell } from '../narration.js'
import { Observer } from '../observer.js'
import { type Reporter, startReporter } from '../processes.js'
import { Lists } from './lists.js'
import { ClusterNode, within } from './nodes.js'
import { openRelay, type Relay } from './relay.js'

const FIRST_PORT = 7410
const PROVIDERS = 6

/** A provider that is registered. */
export interface Provider extends Reporter {
  readonly id: string
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export class Company {
  readonly etcd: EtcdCluster
  readonly nodes: readonly ClusterNode[]
  /** The ways on which the last node reaches etcd. */
  readonly relays: readonly Relay[]
  readonly providers: Provider[] = []
  readonly seen: Observer = new Observer()
  readonly lists: Lists
  private readonly noted: Outcome[] = []

  private constructor(etcd: EtcdCluster, nodes: readonly ClusterNode[], relays: readonly Relay[]) {
    this.etcd = etcd
    this.nodes = nodes
    this.relays = relays
    this.lists = new Lists(nodes, 'orders')
  }

  static async open(program: string, directory: string): Promise<Company> {
    act('Three members of etcd, three nodes, six providers, one consumer')
    const etcd = await startEtcd({ program })
    tell(`etcd is ready on ports ${etcd.members.map(({ port }) => port).join(', ')}`)
    const relays = await Promise.all(etcd.members.map(({ port }) => openRelay(port)))
    const ways = relays.map(({ port }) => `http://127.0.0.1:${port}`)
    const nodes: ClusterNode[] = []
    for (const [index, endpoints] of [etcd.endpoints, etcd.endpoints, ways].entries())
      nodes.push(await ClusterNode.prepare(`n${index + 1}`, FIRST_PORT + index, directory, endpoints))
    await Promise.all(nodes.map((node) => node.start()))
    const company = new Company(etcd, nodes, relays)
    await company.whole()
    tell(`${nodes.map(({ name, url }) => `${name} at ${url}`).join(', ')}: each knows the others`)
    await Promise.all(Array.from({ length: PROVIDERS }, () => company.addProvider()))
    await company.agree()
    tell(`${PROVIDERS} providers of orders registered themselves, and every node lists all of them`)
    startReporter('consumer', ['orders', company.urls, directory, '--quiet'], company.seen.receive)
    await company.seen.until(() => company.seen.firstCallMs !== undefined, 10_000)
    tell('a consumer calls orders some hundreds of times a second, over HTTP through the SDK')
    await company.tellNodes()
    return company
  }

  /** All nodes as the SDK is given them. */
  get urls(): string {
    return this.nodes.map(({ url }) => url).join(',')
  }

  get running(): readonly ClusterNode[] {
    return this.nodes.filter(({ runs }) => runs)
  }

  node(index: number): ClusterNode {
    return this.nodes[index] as ClusterNode
  }

  /** Starts a provider that is to stay, at any node unless one is named. */
  async addProvider(at: string = this.urls, stays = true): Promise<Provider> {
    let registered = (_id: string): void => {}
    const id = new Promise<string>((resolve) => {
      registered = resolve
    })
    const reporter = startReporter('provider', ['orders', at, '--quiet'], (message: Message) => {
      if (message.kind === 'registered') registered(message.id)
    })
    const provider = { ...reporter, id: await id }
    if (stays) {
      this.providers.push(provider)
      await this.agree()
      this.lists.expect(provider.id)
    }
    return provider
  }

  /** Until all nodes that run know each other and follow etcd; undefined when they do not in time. */
  whole(ms = 30_000): Promise<number | undefined> {
    return within(ms, async () => {
      const { running } = this
      const answers = await Promise.all(running.map((node) => node.cluster()))
      return answers.every(
        ({ engine, nodes }) =>
          engine.state === 'connected' &&
          nodes.filter(({ state }) => state === 'ready').length === running.length,
      )
    })
  }

  /** Whether a node follows etcd, and everything it took is there. */
  async published(node: ClusterNode): Promise<boolean> {
    const { engine, nodes } = await node.cluster()
    return engine.state === 'connected' && nodes[0]?.unpublished === 0
  }

  /** Until all nodes that run list the same, all providers that live among them; undefined when they do not in time. */
  agree(ms = 30_000): Promise<number | undefined> {
    return within(ms, async () => {
      const views = await Promise.all(this.running.map((node) => node.view('orders')))
      const up = new Set(views[0]?.instances.flatMap(({ id, state }) => (state === 'up' ? [id] : [])))
      return (
        views.every(({ sign }) => sign === views[0]?.sign) && this.providers.every(({ id }) => up.has(id))
      )
    })
  }

  /** Streams of clients at the nodes that run. */
  async sessions(): Promise<number> {
    const answers = await Promise.all(this.running.map((node) => node.cluster()))
    return answers.reduce((sum, { nodes }) => sum + (nodes[0]?.sessions ?? 0), 0)
  }

  /** Until every provider and the consumer have a session at a node that runs. */
  settled(ms = 20_000): Promise<number | undefined> {
    return within(ms, async () => (await this.sessions()) > this.providers.length)
  }

  async tellNodes(): Promise<void> {
    const answers = await Promise.all(this.running.map((node) => node.cluster()))
    const each = answers.map(({ nodes: [own] }) => `${own?.name} ${own?.sessions}`)
    tell(`sessions of clients: ${each.join(', ')}`)
  }

  note(promise: string, measured: string, held: boolean): void {
    this.noted.push({ promise, measured, held })
  }

  /** Notes a time that has a limit. */
  noteTime(promise: string, ms: number | undefined, limitMs: number): void {
    this.note(promise, ms === undefined ? 'not in time' : `${ms} ms`, ms !== undefined && ms <= limitMs)
  }

  tellCalls(): void {
    const { calls, failures } = this.seen
    const faults = [...this.lists.faults.keys()]
    tell(
      `${calls} calls so far, ${failures.length} failed${failures.length === 0 ? '' : ` (${failures[0]})`}; living instances missing in a list: ${faults.length === 0 ? 'never' : faults[0]}`,
    )
  }

  outcomes(): Outcome[] {
    const { calls, failures } = this.seen
    const faults = [...this.lists.faults]
    return [
      ...this.noted,
      {
        promise: 'the living are up in every list of every node, all the time',
        measured:
          faults.length === 0
            ? `in all of ${this.lists.read} lists`
            : faults.map(([fault, times]) => `${fault}, ${times} times`).join('; '),
        held: faults.length === 0,
      },
      {
        promise: 'no call fails, all the time',
        measured: `${failures.length} of ${calls} calls failed`,
        held: failures.length === 0,
      },
    ]
  }

  close(): void {
    this.lists.close()
    for (const relay of this.relays) relay.close()
  }
}
