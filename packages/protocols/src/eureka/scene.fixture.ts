/** A registry of the real rules on a clock moved by hand, and the adapter's parts in front of it, without sockets. */
import {
  ANONYMOUS,
  type Answers,
  type Caller,
  type CommandKind,
  type CommandOf,
  type Done,
  NODE_DEFAULTS,
  Queries,
  RegistryNode,
  type RegisterCommand,
} from '@rollcall/core'
import { HandClock, settle } from '@rollcall/testkit/time'
import { NamespaceReader } from '../foreign/namespace-reader.js'
import { Applications } from './applications.js'
import type { Format } from './codec.js'
import { type AskedInstance, EurekaCommands } from './commands.js'
import { askRegistry } from './leases.js'
import { Lists, type Written } from './lists.js'
import { keyOf } from './mapping.js'
import { readSaid } from './reading.js'
import { Renewals } from './renewals.js'

export const CALLER: Caller = { principal: ANONYMOUS, peer: '10.0.0.1', via: 'eureka' }

const BOUNDS = { leaseMsMin: 1_000, leaseMsMax: 86_400_000 }

/** An instance as a client says it. */
export function instanceOf(id: string, more: object = {}): Record<string, unknown> {
  return {
    instanceId: id,
    app: 'ORDERS',
    hostName: '10.0.0.1',
    ipAddr: '10.0.0.1',
    status: 'UP',
    port: { $: 8_080, '@enabled': 'true' },
    dataCenterInfo: { '@class': 'a', name: 'MyOwn' },
    vipAddress: 'orders',
    ...more,
  }
}

/** What clients are shown of an instance, as JSON has it. */
export interface Told {
  readonly instanceId: string
  readonly app: string
  readonly status: string
  readonly overriddenStatus: string
  readonly actionType: string
  readonly lastDirtyTimestamp: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface ToldList {
  readonly apps__hashcode: string
  readonly versions__delta: string
  readonly application: readonly { readonly name: string; readonly instance: readonly Told[] }[]
}

export class EurekaScene {
  readonly clock = new HandClock()
  readonly node: RegistryNode
  readonly read: Queries
  readonly commands: EurekaCommands
  readonly applications: Applications
  readonly lists: Lists
  readonly renewals: Renewals
  private readonly reader: NamespaceReader

  constructor() {
    const { clock } = this
    this.node = new RegistryNode(
      0,
      { ...NODE_DEFAULTS, nodeId: 'node-1' },
      {
        persist: () => undefined,
        // No port answers.
        probe: (request) =>
          void clock.setTimer(request.delayMs + 1, () => this.node.probed(request, 'failed', clock.now())),
        wallNow: () => clock.wallNow(),
      },
    )
    this.read = new Queries(this.node, () => clock.now())
    const wallNow = (): number => clock.wallNow()
    this.applications = new Applications(
      { now: () => clock.now(), wallNow, leases: askRegistry(() => this.read) },
      180_000,
    )
    this.reader = new NamespaceReader({ clock, read: () => this.read }, 'default', this.applications)
    this.lists = new Lists({ clock, applications: this.applications }, { idleMs: 90_000, deltaMs: 180_000 })
    this.renewals = new Renewals(clock)
    const registry = {
      execute: <K extends CommandKind>(command: CommandOf<K>, caller: Caller) =>
        this.execute(command, caller),
      heard: (refs: Parameters<RegistryNode['heard']>[0]) => this.node.heard(refs, clock.now()),
      read: () => this.read,
    }
    this.commands = new EurekaCommands(
      { registry, applications: this.applications, renewals: this.renewals, wallNow },
      BOUNDS,
    )
  }

  async execute<K extends CommandKind>(command: CommandOf<K>, caller: Caller = CALLER): Promise<Done<K>> {
    const step = { caller, now: this.clock.now(), wallNow: this.clock.wallNow() }
    const answer = this.node.execute(command, step)
    if ('code' in answer) throw new Error(answer.message)
    return { answer: answer as Answers[K], durability: 'memory' }
  }

  register(id: string, more: object = {}): Promise<void> {
    const said = readSaid(instanceOf(id, more))
    return this.commands.register(said.app ?? '', said, CALLER)
  }

  /** By the native protocol. */
  async registerNative(id: string, more: Partial<RegisterCommand> = {}): Promise<void> {
    const key = { namespace: 'default', service: 'orders', group: 'default', id }
    const command = {
      host: '10.0.0.2',
      port: 80,
      weight: 100,
      metadata: {},
      intent: 'up',
      leaseMs: 3_600_000,
    } as const
    const items = [{ ...key, ...command, liveness: 'lease' as const, ...more }]
    await this.execute({ kind: 'register', items }, { principal: ANONYMOUS })
  }

  asked(id: string, query: Readonly<Record<string, string>> = {}, app = 'ORDERS'): AskedInstance {
    return { app, id, query: new Map(Object.entries(query)), caller: CALLER }
  }

  /** Lets time pass, with the ticks of the registry. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.clock.advance(100)
      this.node.tick(this.clock.now())
    }
  }

  async list(name: 'all' | 'delta', format: Format = 'json'): Promise<Written> {
    await this.caughtUp()
    return this.finished(this.lists[name](format))
  }

  async told(name: 'all' | 'delta'): Promise<ToldList> {
    const { body } = await this.list(name)
    return (JSON.parse(String(body.whole())) as { readonly applications: ToldList }).applications
  }

  /** The instance as clients see it now. */
  async instance(id: string): Promise<Told | undefined> {
    const { application } = await this.told('all')
    return application.flatMap(({ instance }) => instance).find(({ instanceId }) => instanceId === id)
  }

  /** How the native protocol shows it: its state. */
  state(id: string, app = 'ORDERS'): string | undefined {
    const key = keyOf(app, id)
    return key === undefined ? undefined : this.read.instance(key)?.state
  }

  caughtUp(): Promise<void> {
    return this.finished(this.reader.current())
  }

  /** Runs the turns that a result takes. */
  async finished<T>(later: T | Promise<T>): Promise<T> {
    if (!(later instanceof Promise)) return later
    let done = false
    void later.finally(() => (done = true)).catch(() => {})
    while (!done) {
      this.clock.advance()
      await settle()
    }
    return later
  }
}
