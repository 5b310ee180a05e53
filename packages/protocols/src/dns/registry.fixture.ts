/** A registry of the real rules on a clock moved by hand, and the DNS in front of it, asked as by a client. */
import {
  ANONYMOUS,
  type MetricName,
  NO_LOGGER,
  NODE_DEFAULTS,
  Queries,
  RegistryNode,
  type Readiness,
  type RegisterCommand,
} from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { decode, encode, type DecodedPacket, type Packet, type RecordType, type SrvData } from 'dns-packet'
import { createDns, type Dns, type MessageTransport } from './index.js'
import type { DnsOptions } from './options.js'

/** What a registration says beside its defaults: an instance of `orders` at 10.0.0.1:8080, up for good. */
export type Registered = Partial<RegisterCommand> & { readonly id: string }

/** Types of questions; dns-packet knows `ANY`, its types do not. */
export type Type = RecordType | 'ANY'

/** How a question is put. */
export interface Put {
  readonly transport?: MessageTransport
  readonly peer?: string
  /** Bytes that the client takes with EDNS; without it does not speak it. */
  readonly takes?: number
}

/** Chance that repeats: the generator of Park and Miller. */
export function createChance(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

export class Scene {
  readonly clock = new HandClock()
  readonly node: RegistryNode
  readonly read: Queries
  readonly dns: Dns
  readonly counts: Record<string, number> = {}
  readiness: Readiness = { ready: true }
  private readonly step = (): { caller: { principal: typeof ANONYMOUS }; now: number; wallNow: number } => ({
    caller: { principal: ANONYMOUS },
    now: this.clock.now(),
    wallNow: this.clock.wallNow(),
  })

  constructor(options: DnsOptions = {}, seed = 1) {
    this.node = new RegistryNode(
      0,
      { ...NODE_DEFAULTS, nodeId: 'node-1' },
      { persist: () => undefined, probe: () => undefined, wallNow: () => this.clock.wallNow() },
    )
    this.read = new Queries(this.node, () => this.clock.now())
    const meter = {
      count: (name: MetricName, by = 1, label = '') => {
        this.counts[`${name} ${label}`] = (this.counts[`${name} ${label}`] ?? 0) + by
      },
      set() {},
      observe() {},
    }
    this.dns = createDns(
      {
        registry: { read: () => this.read },
        node: { readiness: () => this.readiness },
        clock: this.clock,
        chance: createChance(seed),
        logger: NO_LOGGER,
        meter,
      },
      options,
    )
  }

  register(...instances: readonly Registered[]): void {
    const items = instances.map((instance) => ({
      namespace: 'default',
      service: 'orders',
      group: 'default',
      host: '10.0.0.1',
      port: 8_080,
      weight: 100,
      metadata: {},
      intent: 'up' as const,
      leaseMs: 15_000,
      liveness: 'static' as const,
      ...instance,
    }))
    const answer = this.node.execute({ kind: 'register', items }, this.step())
    const refused = Array.isArray(answer) ? answer.find((each: { ok: boolean }) => !each.ok) : answer
    if (refused !== undefined) throw new Error(JSON.stringify(refused))
  }

  deregister(...ids: readonly string[]): void {
    const refs = ids.map((id) => ({ namespace: 'default', service: 'orders', group: 'default', id }))
    this.node.execute({ kind: 'deregister', refs }, this.step())
  }

  disable(id: string): void {
    const refs = [{ namespace: 'default', service: 'orders', group: 'default', id }]
    this.node.execute({ kind: 'override', refs, disable: true }, this.step())
  }

  /** The answer as another implementation of DNS reads it. */
  ask(name: string, type: Type, put: Put = {}): DecodedPacket {
    const bytes = this.bytes(name, type, put)
    if (bytes === undefined) throw new Error('silence')
    return decode(bytes)
  }

  bytes(name: string, type: Type, put: Put = {}): Buffer | undefined {
    const answer = this.send(name, type, put)
    if (answer instanceof Promise) throw new Error('it comes later')
    return answer
  }

  /** The same for a list that is long enough to be read in turns of the event loop, which this lets pass. */
  async askLong(name: string, type: Type, put: Put = {}): Promise<DecodedPacket> {
    let answer: Buffer | undefined | 'none' = 'none'
    const sent = Promise.resolve(this.send(name, type, put)).then((bytes) => (answer = bytes))
    for (let turn = 0; (answer as unknown) === 'none' && turn < 10_000; turn++) {
      await Promise.resolve()
      await Promise.resolve()
      if ((answer as unknown) === 'none') this.clock.advance()
    }
    const bytes = await sent
    if (bytes === undefined) throw new Error('silence')
    return decode(bytes)
  }

  /** Sends a query; its answer may come later. */
  send(
    name: string,
    type: Type,
    { transport = 'tcp', peer = '127.0.0.1', takes }: Put = {},
  ): ReturnType<Dns['answer']> {
    const query: Packet = {
      type: 'query',
      id: 4_711,
      flags: 0x100,
      questions: [{ name, type: type as RecordType, class: 'IN' }],
      ...(takes === undefined
        ? {}
        : {
            additionals: [{ type: 'OPT', name: '.', udpPayloadSize: takes, flags: 0, options: [] } as never],
          }),
    }
    return this.dns.answer(encode(query), transport, peer)
  }

  /** The data of the answers, sorted, or the code where there is none. */
  data(name: string, type: Type, put: Put = {}): unknown {
    const { rcode, answers = [] } = this.ask(name, type, put) as DecodedPacket & { rcode: string }
    if (answers.length === 0) return rcode === 'NOERROR' ? 'NODATA' : rcode
    const all = answers.map((answer) => {
      const { data } = answer as { data: unknown }
      if (typeof data === 'string') return data
      const { target, port, weight, priority } = data as Partial<SrvData>
      return target === undefined ? data : `${priority} ${weight} ${port} ${target}`
    })
    return all.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
  }
}
