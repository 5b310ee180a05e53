/** The acts of the demo. Each does one thing to real processes and notes what was promised and measured. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Message } from './messages.js'
import { act, type Outcome, tell } from './narration.js'
import { Observer } from './observer.js'
import { end, freePort, type Reporter, startRegistry, startReporter } from './processes.js'

const DEFAULT_PORT = 7400

interface Provider extends Reporter {
  readonly service: string
  id: string
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export class Stage {
  readonly url: string
  private readonly port: number
  private readonly directory: string
  private readonly noted: Outcome[] = []
  private readonly providers: Provider[] = []
  private registry: ChildProcess | undefined
  private consumer: Reporter | undefined
  private seen = new Observer()
  private calls = 0
  private failures = 0

  private constructor(port: number, directory: string) {
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.directory = directory
  }

  /** Starts the registry, six providers and the consumer. */
  static async open(directory: string): Promise<Stage> {
    act('A registry, two services, one consumer')
    const port = await freePort(DEFAULT_PORT)
    const stage = new Stage(port, directory)
    if (port !== DEFAULT_PORT) tell(`port ${DEFAULT_PORT} is taken, so this registry listens on ${port}`)
    stage.registry = await startRegistry(port, join(directory, 'data'))
    tell(`registry ready at ${stage.url} (pid ${stage.registry.pid}), its journal in a temporary folder`)
    await Promise.all(
      ['orders', 'payments'].flatMap((service) => [1, 2, 3].map(() => stage.addProvider(service))),
    )
    tell('three providers of orders and three of payments registered themselves')
    await stage.startConsumer()
    tell(
      `a consumer (pid ${stage.consumer?.pid}) calls orders some hundreds of times a second, over HTTP through the SDK`,
    )
    await pause(1_000)
    return stage
  }

  outcomes(): Outcome[] {
    const calls = this.calls + this.seen.calls
    const failures = this.failures + this.seen.failures.length
    return [
      ...this.noted,
      {
        promise: 'no call fails, all the time',
        measured: `${failures} of ${calls} calls failed`,
        held: failures === 0,
      },
    ]
  }

  async providerKilled(): Promise<void> {
    act('A provider is killed with SIGKILL')
    const victim = this.provider('orders')
    const killedAt = Date.now()
    await end(victim.process, 'SIGKILL')
    tell(`${victim.id} (pid ${victim.pid}) is dead; it did not deregister`)
    const known = await this.seen.until(() => this.seen.stateOf(victim.id) !== 'up', 5_000)
    const tookMs = (this.seen.list?.at ?? Date.now()) - killedAt
    tell(
      known
        ? `${tookMs} ms later the consumer's list shows it as ${this.seen.stateOf(victim.id) ?? 'gone'}`
        : 'the consumer was not told',
    )
    this.note('killed: subscribers know within 1,000 ms', `${tookMs} ms`, known && tookMs <= 1_000)
    await pause(1_000)
    this.tellCalls()
  }

  async providerLeaves(): Promise<void> {
    act('A provider leaves gracefully (SIGTERM)')
    const leaver = this.provider('orders')
    const exited = end(leaver.process, 'SIGTERM')
    await this.seen.until(() => this.seen.stateOf(leaver.id) !== 'up', 5_000)
    tell(`the consumer's list shows ${leaver.id} as ${this.seen.stateOf(leaver.id) ?? 'gone'}`)
    await this.seen.until(() => this.seen.stateOf(leaver.id) === undefined, 10_000)
    const goneAt = this.seen.list?.at ?? Date.now()
    const exitedAt = await exited.then(() => Date.now())
    const gone = this.seen.stateOf(leaver.id) === undefined
    const tookMs = goneAt - exitedAt
    const lead = tookMs <= 0 ? `${-tookMs} ms before` : `${tookMs} ms after`
    tell(`it is off the list ${lead} its process ended`)
    this.note('leaving: off the list when the process ends', lead, gone && tookMs <= 100)
    this.tellCalls()
  }

  async providerJoins(): Promise<void> {
    act('A new provider joins')
    const startedAt = Date.now()
    const joiner = await this.addProvider('orders')
    const registeredAt = Date.now()
    const called = await this.seen.until(() => this.seen.answered.has(joiner.pid), 5_000)
    const tookMs = (this.seen.answered.get(joiner.pid) ?? Date.now()) - registeredAt
    tell(
      `${joiner.id} registered ${registeredAt - startedAt} ms after its process was started; first call ${Math.max(0, tookMs)} ms later`,
    )
    this.note(
      'joining: called within 500 ms of registering',
      `${Math.max(0, tookMs)} ms`,
      called && tookMs <= 500,
    )
  }

  async registryKilled(): Promise<void> {
    act('The registry itself is killed with SIGKILL')
    const { calls, failures } = this.seen
    const failedBefore = failures.length
    await end(this.registry as ChildProcess, 'SIGKILL')
    await pause(3_000)
    const made = this.seen.calls - calls
    const failed = this.seen.failures.length - failedBefore
    tell(`3 s without a registry: ${made} calls, ${failed} failed`)
    this.note('registry down: calls go on', `${made} calls, ${failed} failed`, made > 100 && failed === 0)
  }

  async consumerRestarted(): Promise<void> {
    act('The consumer is restarted while there is no registry')
    await end((this.consumer as Reporter).process, 'SIGKILL')
    this.calls += this.seen.calls
    this.failures += this.seen.failures.length
    this.seen = new Observer()
    await this.startConsumer()
    tell(`it starts from its snapshot on disk: first call ${this.seen.firstCallMs} ms after it came up`)
    await pause(1_500)
    this.note(
      'restarted without registry: calls within 1,000 ms',
      `${this.seen.firstCallMs} ms`,
      (this.seen.firstCallMs ?? Infinity) <= 1_000 && this.seen.list?.source === 'snapshot',
    )
    this.tellCalls()
  }

  async registryReturns(): Promise<void> {
    act('The registry comes back')
    const before = this.seen.list
    this.registry = await startRegistry(this.port, join(this.directory, 'data'))
    tell('it read its journal and is ready')
    await pause(6_000) // long enough for every session to be back and for a wrong verdict to show
    const expected = this.providers
      .filter(({ service }) => service === 'orders')
      .map(({ id }) => id)
      .sort()
    const listed = await this.listed('orders')
    const complete =
      JSON.stringify(
        listed
          .filter(({ state }) => state === 'up')
          .map(({ id }) => id)
          .sort(),
      ) === JSON.stringify(expected)
    const steady = this.seen.list?.sign === before?.sign
    tell(
      `${expected.length} live providers, ${listed.filter(({ state }) => state === 'up').length} of them listed as up; the consumer's list ${steady ? 'never changed' : 'changed'}`,
    )
    this.note(
      'registry back: all there, no list change',
      complete && steady ? 'all there, list unchanged' : 'differs',
      complete && steady,
    )
    this.tellCalls()
  }

  private async listed(service: string): Promise<{ id: string; state: string }[]> {
    const response = await fetch(`${this.url}/api/v1/services/${service}`)
    return ((await response.json()) as { instances: { id: string; state: string }[] }).instances
  }

  private async addProvider(service: string): Promise<Provider> {
    let registered = (_id: string): void => {}
    const id = new Promise<string>((resolve) => {
      registered = resolve
    })
    const reporter = startReporter('provider', [service, this.url], (message: Message) => {
      if (message.kind === 'registered') registered(message.id)
    })
    const provider: Provider = { ...reporter, service, id: await id }
    this.providers.push(provider)
    return provider
  }

  private async startConsumer(): Promise<void> {
    this.consumer = startReporter(
      'consumer',
      ['orders', this.url, join(this.directory, 'snapshots')],
      this.seen.receive,
    )
    await this.seen.until(() => this.seen.firstCallMs !== undefined, 10_000)
  }

  /** Takes the oldest living provider of a service off the stage's own list. */
  private provider(service: string): Provider {
    const index = this.providers.findIndex((provider) => provider.service === service)
    return this.providers.splice(index, 1)[0] as Provider
  }

  private note(promise: string, measured: string, held: boolean): void {
    this.noted.push({ promise, measured, held })
  }

  private tellCalls(): void {
    const { calls, failures } = this.seen
    tell(
      `${calls} calls so far, ${failures.length} failed${failures.length === 0 ? '' : ` (${failures[0]})`}`,
    )
  }
}
