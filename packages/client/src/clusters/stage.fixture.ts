/** Several clusters on a stage: nodes scripted by cluster. */
import type { ServerMessage } from '@rollcall/wire'
import { createIncarnations } from '../incarnation.js'
import type { ClientEffect } from '../machine/events.js'
import type { MachineSettings } from '../machine/settings.js'
import { BOOT, Stage, stageSettings } from '../machine/stage.fixture.js'
import { createClustersMachine } from './machine.js'

type Options = Partial<Omit<MachineSettings, 'times'>> & { times?: Partial<MachineSettings['times']> }
type Sent = Extract<ClientEffect, { readonly type: 'send' }>['message']

/** Drives the machine of several clusters, `east` and `west` unless told otherwise. */
export class ClustersStage extends Stage {
  private readonly names: readonly string[]
  private readonly lost = new Set<number>()

  constructor(clusters: Readonly<Record<string, Options>> = { east: {}, west: {} }) {
    const incarnations = createIncarnations(BOOT)
    const settings = Object.entries(clusters).map(([cluster, options]) =>
      stageSettings({ cluster, urls: [`ws://${cluster}/`], incarnations, ...options }),
    )
    super({}, createClustersMachine(settings))
    this.names = Object.keys(clusters)
  }

  /** The connection to a cluster dialed last. */
  to(cluster: string): number {
    const index = this.names.indexOf(cluster)
    const dial = this.all('dial').findLast(({ connection }) => connection % this.names.length === index)
    if (dial === undefined) throw new Error(`${cluster} was not dialed`)
    return dial.connection
  }

  /** Forgets what was recorded but for the connections. */
  override clear(): void {
    this.effects = this.all('dial')
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
    this.lost.add(connection)
    this.do({ type: 'closed', connection, reason: 'lost' })
  }

  /** Messages of one type sent to a cluster. */
  told<T extends Sent['type']>(cluster: string, type: T): Extract<Sent, { readonly type: T }>[] {
    const index = this.names.indexOf(cluster)
    return this.all('send')
      .filter(({ connection }) => connection % this.names.length === index)
      .map(({ message }) => message)
      .filter((message): message is Extract<Sent, { readonly type: T }> => message.type === type)
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
    return this.lost.has(id) || this.all('drop').some(({ connection }) => connection === id)
  }

  /** Lets time pass on connections that are alive. */
  live(ms: number, ...clusters: readonly string[]): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      for (const cluster of clusters) this.says(cluster, { type: 'pong', island: false })
      this.pass(Math.min(1_000, ms - passed))
    }
  }
}
