/** A machine on a stage: time by hand, scripted nodes, and everything it did on record. */
import type { ClientMessage, Instance, ServerMessage, State, View } from '@rollcall/wire'
import { signOf } from '@rollcall/wire'
import type { ClientMachine } from './machine.js'
import { createClientMachine } from './machine.js'
import { createIncarnations } from '../machine/incarnation.js'
import type { ClientEffect, ClientEvent, RegistrationSpec } from '../machine/events.js'
import type { MachineSettings } from '../machine/settings.js'
import { machineSettings } from '../machine/settings.js'

/** First incarnation number on every stage. */
export const BOOT = 1_000

type Kind<T extends ClientEffect['type']> = Extract<ClientEffect, { readonly type: T }>
type Sent<T extends ClientMessage['type']> = Extract<ClientMessage, { readonly type: T }>

/** Settings other than those of the stage. */
type StageOptions = Partial<Omit<MachineSettings, 'times'>> & { times?: Partial<MachineSettings['times']> }

/** Drives one machine. Effects are kept in order until `clear`. */
export class Stage {
  now = 0
  effects: ClientEffect[] = []
  readonly machine: ClientMachine
  private readonly names: readonly string[]
  private readonly dials: Kind<'dial'>[] = []
  private readonly over = new Set<number>()

  /** A client of one cluster, `default`, or of several by name. */
  constructor(
    options: StageOptions = {},
    clusters: Readonly<Record<string, StageOptions>> = { default: {} },
  ) {
    const incarnations = createIncarnations(BOOT)
    this.names = Object.keys(clusters)
    this.machine = createClientMachine(
      Object.entries(clusters).map(([cluster, own]) =>
        stageSettings({ cluster, urls: [`ws://${cluster}/`], incarnations, ...options, ...own }),
      ),
    )
  }

  /** A client of the clusters `east` and `west`, or of others. */
  static over(clusters: Readonly<Record<string, StageOptions>> = { east: {}, west: {} }): Stage {
    return new Stage({}, clusters)
  }

  /** Feeds events at the present moment; returns what they led to. */
  do(...events: ClientEvent[]): readonly ClientEffect[] {
    const effects = this.machine.step(this.now, events)
    this.effects.push(...effects)
    this.dials.push(...effects.filter((effect) => effect.type === 'dial'))
    return effects
  }

  /** Lets time pass, ticking at every deadline on the way. */
  pass(ms: number): void {
    const end = this.now + ms
    for (let ticks = 0; ; ticks += 1) {
      if (ticks > 10_000) throw new Error(`the machine wants a tick again and again at ${this.now}`)
      const deadline = this.machine.deadline()
      if (deadline === undefined || deadline > end) break
      this.now = Math.max(this.now, deadline)
      this.do({ type: 'tick' })
    }
    this.now = end
    this.do({ type: 'tick' })
  }

  /** Forgets what was recorded but for the connections. */
  clear(): void {
    this.effects = []
  }

  all<T extends ClientEffect['type']>(type: T): Kind<T>[] {
    return this.effects.filter((effect): effect is Kind<T> => effect.type === type)
  }

  /** Messages of one type sent, on any connection. */
  sent<T extends ClientMessage['type']>(type: T): Sent<T>[] {
    return this.all('send')
      .map((effect) => effect.message)
      .filter((message): message is Sent<T> => message.type === type)
  }

  /** The last message of a type; fails when there is none. */
  last<T extends ClientMessage['type']>(type: T): Sent<T> {
    const message = this.sent(type).at(-1)
    if (message === undefined) throw new Error(`no ${type} was sent`)
    return message
  }

  /** The connection dialed last. */
  get connection(): number {
    const dial = this.dials.at(-1)
    if (dial === undefined) throw new Error('nothing was dialed')
    return dial.connection
  }

  /** A message of the node on the connection dialed last. */
  receive(message: ServerMessage, connection: number = this.connection): void {
    this.do({ type: 'message', connection, message })
  }

  /** Opens and welcomes the connection dialed last, or another. */
  welcome(
    options: Partial<Extract<ServerMessage, { type: 'welcome' }>> = {},
    connection: number = this.connection,
  ): number {
    this.do({ type: 'opened', connection })
    const url = this.dials.find((dial) => dial.connection === connection)?.url
    this.receive({ ...WELCOME, node: `node at ${url}`, ...options }, connection)
    return connection
  }

  /** Loses the connection and is welcomed on the next one. */
  reconnect(): void {
    const { connection } = this
    this.do({ type: 'closed', connection, reason: 'lost' })
    while (this.connection === connection) this.pass(100)
    this.welcome()
  }

  /** Answers the register request sent last: everything accepted. */
  acceptAll(connection: number = this.connection): void {
    const { req, instances } = this.last('register')
    const results = instances.map((item) => ({
      ok: true as const,
      service: item.service,
      group: item.group ?? 'default',
      id: item.id ?? '',
      incarnation: item.incarnation ?? 0,
      durability: 'memory' as const,
    }))
    this.receive({ type: 'registered', results, ...(req === undefined ? {} : { req }) }, connection)
  }

  /** The connection to a cluster dialed last. */
  to(cluster: string): number {
    const index = this.names.indexOf(cluster)
    const dial = this.dials.findLast(({ connection }) => connection % this.names.length === index)
    if (dial === undefined) throw new Error(`${cluster} was not dialed`)
    return dial.connection
  }

  /** Opens and welcomes the connections to clusters, when they are next tried. */
  meet(...clusters: readonly string[]): void {
    for (const cluster of clusters) {
      while (this.isOver(this.to(cluster))) this.pass(100)
      this.welcome({ cluster }, this.to(cluster))
    }
  }

  /** A message of a cluster. */
  says(cluster: string, message: ServerMessage): void {
    this.receive(message, this.to(cluster))
  }

  /** A cluster's connection ends, or is refused. */
  loses(cluster: string): void {
    const connection = this.to(cluster)
    this.over.add(connection)
    this.do({ type: 'closed', connection, reason: 'lost' })
  }

  /** Messages of one type sent to a cluster. */
  told<T extends ClientMessage['type']>(cluster: string, type: T): Sent<T>[] {
    const index = this.names.indexOf(cluster)
    return this.all('send')
      .filter(({ connection }) => connection % this.names.length === index)
      .map(({ message }) => message)
      .filter((message): message is Sent<T> => message.type === type)
  }

  /** A cluster accepts the registrations it was last asked for, or refuses them. */
  answers(cluster: string, refusal?: string): void {
    const { req, instances } = this.told(cluster, 'register').at(-1)!
    const results = instances.map(({ service, id = '', incarnation = 0 }) =>
      refusal === undefined
        ? ({ ok: true, service, group: 'default', id, incarnation, durability: 'memory' } as const)
        : ({ ok: false, error: { code: 'service_not_allowed', message: refusal } } as const),
    )
    this.says(cluster, { type: 'registered', results, ...(req === undefined ? {} : { req }) })
  }

  /** How a call ended: `resolve`, the code of its error, or undefined. */
  outcome(token: number): string | undefined {
    const effect = this.effects.find(
      (item) => (item.type === 'resolve' || item.type === 'reject') && item.token === token,
    )
    return effect?.type === 'reject' ? effect.error.code : effect?.type
  }

  /** Ids that may be called now. */
  get callable(): string[] {
    return (this.all('candidates').at(-1)?.candidates ?? []).map(({ id }) => id).sort()
  }

  private isOver(id: number): boolean {
    return this.over.has(id) || this.all('drop').some(({ connection }) => connection === id)
  }

  /** Lets time pass on connections that are alive. */
  live(ms: number, ...clusters: readonly string[]): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      for (const cluster of clusters) this.says(cluster, { type: 'pong', island: false })
      this.pass(Math.min(1_000, ms - passed))
    }
  }
}

/** Each URL leads to a node of its own, unless a test says otherwise. */
const WELCOME = {
  type: 'welcome',
  cluster: 'c1',
  pingMs: 3_000,
  frameBytesMax: 1_048_576,
  batchItemsMax: 10_000,
  island: false,
} as const

/** Settings of a cluster with one node, chance in the middle and the default times. */
export function stageSettings(options: StageOptions): MachineSettings {
  return machineSettings({
    urls: ['ws://a/'],
    random: () => 0.5,
    incarnations: createIncarnations(BOOT),
    ...options,
  })
}

/** An instance whose digest follows from what distinguishes it. */
export function instance(
  id: string,
  given: {
    state?: State
    weight?: number
    incarnation?: number
    port?: number
    group?: string
    zone?: string
  } = {},
): Instance {
  const { state = 'up', weight = 100, incarnation = 1, port = 80, group = 'default' } = given
  return {
    namespace: 'default',
    service: 'orders',
    group,
    id,
    host: '10.0.0.1',
    port,
    weight,
    ...(given.zone === undefined ? {} : { zone: given.zone }),
    metadata: {},
    state,
    stateAgeMs: 0,
    incarnation,
    digest: digestOf(`${group}/${id}/${state}/${weight}/${incarnation}/${port}`),
  }
}

/** A full view of `orders` with the right sign. */
export function view(
  instances: readonly Instance[],
  given: Partial<View> = {},
): Extract<ServerMessage, { type: 'view' }> {
  return {
    type: 'view',
    seq: 1,
    namespace: 'default',
    service: 'orders',
    sign: signOf(instances),
    instances,
    guard: { tripped: false, kept: 0 },
    stale: false,
    ...given,
  }
}

/** The delta between two lists of `orders`; what is missing left with `reason`. */
export function delta(
  from: readonly Instance[],
  to: readonly Instance[],
  reason: 'deregistered' | 'expired' = 'deregistered',
): Extract<ServerMessage, { type: 'delta' }> {
  const before = new Map(from.map((item) => [item.id, item]))
  const after = new Set(to.map((item) => item.id))
  return {
    type: 'delta',
    seq: 2,
    namespace: 'default',
    service: 'orders',
    from: signOf(from),
    to: signOf(to),
    upserts: to.filter((item) => before.get(item.id)?.digest !== item.digest),
    removes: from
      .filter((item) => !after.has(item.id))
      .map(({ group, id, incarnation }) => ({ group, id, incarnation, reason })),
  }
}

/** A complete registration of `orders`. */
export function spec(id: string, given: Partial<RegistrationSpec> = {}): RegistrationSpec {
  return {
    namespace: 'default',
    service: 'orders',
    group: 'default',
    id,
    host: '10.0.0.9',
    port: 80,
    ...given,
  }
}

/** FNV-1a twice with different starts: any 16 hex digits will do here. */
function digestOf(text: string): string {
  return [0x811c9dc5, 0x1234567]
    .map((start) => {
      let hash = start
      for (let index = 0; index < text.length; index += 1)
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
      return (hash >>> 0).toString(16).padStart(8, '0')
    })
    .join('')
}
