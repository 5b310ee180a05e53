/** The network: hosts, ports, packets, delays and cuts. */
import type { EventQueue } from '@rollcall/testkit/time'
import type { SimProcess } from './process.js'
import type { Chance } from './random.js'
import { connectStream, type StreamEnd, type StreamListener } from './stream.js'

/** A port on which a process listens. */
interface Listener {
  readonly process: SimProcess
  /** Takes over the server's end of a new stream. */
  readonly accept?: (end: StreamEnd, peer: string) => void
}

/** Connections that were refused on the way, from then until then. */
export interface Firewall {
  readonly from: string
  readonly to: string
  readonly beganAt: number
  /** Infinity while it stands. */
  readonly endedAt: number
}

export type PortState = 'accepts' | 'refuses' | 'silent'

/** A SYN is repeated after these times. */
const SYN_RETRIES_MS = [0, 1_000, 3_000] as const

/** Anybody, in rules. */
export const ANY = '*'

/** Hosts and what lies between them: delay, loss, cuts, firewalls. Everything begun returns how it ends. */
export class Network {
  readonly queue: EventQueue
  readonly ends: Set<StreamEnd> = new Set()
  /** Requests and answers are lost with this probability. */
  lossRate = 0
  /** Requests arrive twice with this probability, the copy up to `copyDelayMs` later. */
  copyRate = 0
  copyDelayMs = 20_000
  private readonly chance: Chance
  private readonly streams = new Map<string, Chance>()
  private readonly listeners = new Map<string, Listener>()
  private readonly cuts = new Map<string, number>()
  private readonly firewalls = new Map<string, number>()
  private readonly history: Firewall[] = []
  private readonly changes = new Map<string, number>()
  private slowness: number[] = []

  constructor(queue: EventQueue, chance: Chance) {
    this.queue = queue
    this.chance = chance
  }

  listen(port: number, listener: Listener): void {
    const address = `${listener.process.host}:${port}`
    this.listeners.set(address, listener)
    this.changes.set(address, this.queue.now)
  }

  unlisten(process: SimProcess, port: number): void {
    const address = `${process.host}:${port}`
    if (this.listeners.get(address)?.process !== process) return
    this.listeners.delete(address)
    this.changes.set(address, this.queue.now)
  }

  /** Nothing passes from one host to the other; either may be ANY. */
  cut(from: string, to: string): () => void {
    return this.rule(this.cuts, from, to)
  }

  /** New connections are refused on the way. */
  firewall(from: string, to: string): () => void {
    const firewall = { from, to, beganAt: this.queue.now, endedAt: Infinity }
    this.history.push(firewall)
    const end = this.rule(this.firewalls, from, to)
    return () => {
      firewall.endedAt = Math.min(firewall.endedAt, this.queue.now)
      end()
    }
  }

  /** Every firewall there ever was from a host to another. */
  firewallsBetween(from: string, to: string): readonly Firewall[] {
    return this.history.filter((each) => each.from === from && (each.to === to || each.to === ANY))
  }

  /** Everything takes up to `ms` longer. */
  slow(ms: number): () => void {
    this.slowness.push(ms)
    this.changes.set(ANY, this.queue.now)
    return () => {
      this.slowness.splice(this.slowness.indexOf(ms), 1)
      this.changes.set(ANY, this.queue.now)
    }
  }

  /** Requests and answers are lost with this probability from now on. */
  lose(rate: number): void {
    this.lossRate = rate
    this.changes.set(ANY, this.queue.now)
  }

  /** When the way from a host to another last changed; with a port, also when a process began or ceased to listen. */
  changedAt(from: string, host: string, port?: number): number {
    return Math.max(...[from, host, `${host}:${port ?? ''}`, ANY].map((name) => this.changes.get(name) ?? 0))
  }

  blocked(from: string, to: string): boolean {
    return from !== to && matches(this.cuts, from, to)
  }

  /** One-way time of a packet that is not lost. */
  latency(from: string, to: string): number {
    const chance = this.chanceOf(`${from}>${to}`)
    const slow = this.slowness.reduce((sum, ms) => sum + chance.fraction() * ms, 0)
    return 0.2 + chance.delay(from === to ? 0.1 : 1) + slow
  }

  /** What a connection attempt would meet. */
  port(from: string, host: string, port: number): PortState {
    if (this.blocked(from, host) || this.blocked(host, from)) return 'silent'
    if (matches(this.firewalls, from, host)) return 'refuses'
    return this.listeners.has(`${host}:${port}`) ? 'accepts' : 'refuses'
  }

  /** Opens a stream; SYNs are repeated while there is no answer. */
  dial(process: SimProcess, host: string, port: number, listener: StreamListener): StreamEnd {
    const own = process.host
    const [client, server] = connectStream(this, process, listener)
    const attempt = (): void => {
      if (!client.open || client.met || client.process.life !== client.life) return
      const state = this.port(own, host, port)
      if (state === 'silent') return
      client.met = true
      if (state === 'refuses') return client.refused(this.latency(host, own))
      const { process: target, accept } = this.listeners.get(`${host}:${port}`) as Listener
      if (accept === undefined) return client.refused(this.latency(host, own))
      server.attach(target)
      target.deliver(() => accept(server, own))
    }
    for (const delay of SYN_RETRIES_MS) this.queue.after(delay + this.latency(own, host), attempt)
    return client
  }

  /** Tries to connect and hangs up; answers with what was met, `silent` after the timeout. */
  knock(
    from: string,
    host: string,
    port: number,
    timeoutMs: number,
    answer: (state: PortState) => void,
  ): void {
    const latency = this.latency(from, host)
    this.queue.after(latency, () => {
      const state = this.chanceOf(`${from}>${host}`).happens(this.lossRate)
        ? 'silent'
        : this.port(from, host, port)
      const backMs = state === 'silent' ? Infinity : this.latency(host, from)
      if (latency + backMs > timeoutMs) this.queue.after(timeoutMs - latency, () => answer('silent'))
      else this.queue.after(backMs, () => answer(state))
    })
  }

  /**
   * A request and its answer, each lost, late or doubled by chance. `serve` runs in the server's process and may
   * answer whenever it likes; `done` runs in the client's, once, with undefined when there was no answer.
   */
  request<T>(
    process: SimProcess,
    to: { readonly host: string; readonly port: number },
    serve: (answer: (value: T) => void) => void,
    done: (value: T | undefined) => void,
    timeoutMs: number,
  ): void {
    const { life, host: own } = process
    let over = false
    const finish = (value: T | undefined): void => {
      if (over || process.life !== life) return
      over = true
      process.deliver(() => done(value))
    }
    const chance = this.chanceOf(`${own}>${to.host}`)
    const arrive = (): void => {
      const state = this.port(own, to.host, to.port)
      if (state === 'silent' || chance.happens(this.lossRate)) return
      if (state === 'refuses') return this.queue.after(this.latency(to.host, own), () => finish(undefined))
      const { process: target } = this.listeners.get(`${to.host}:${to.port}`) as Listener
      target.deliver(() =>
        serve((value) => {
          if (chance.happens(this.lossRate) || this.blocked(to.host, own)) return
          this.queue.after(this.latency(to.host, own), () => {
            if (!this.blocked(to.host, own)) finish(value)
          })
        }),
      )
    }
    this.queue.after(this.latency(own, to.host), arrive)
    if (chance.happens(this.copyRate)) this.queue.after(chance.between(1, this.copyDelayMs), arrive)
    this.queue.after(timeoutMs, () => finish(undefined))
  }

  /** The process is no more: its ports close, and its kernel says so to its peers, unless the host is cut off. */
  ended(process: SimProcess): void {
    for (const [address, listener] of this.listeners) {
      if (listener.process !== process) continue
      this.listeners.delete(address)
      this.changes.set(address, this.queue.now)
    }
    const chance = this.chanceOf(process.name)
    for (const end of this.ends) if (end.process === process && end.open) end.die(chance.happens(0.5))
  }

  private rule(rules: Map<string, number>, from: string, to: string): () => void {
    const key = `${from}>${to}`
    const changed = (): void => {
      for (const host of from === ANY ? [to] : to === ANY ? [from] : [from, to])
        this.changes.set(host, this.queue.now)
    }
    changed()
    rules.set(key, (rules.get(key) ?? 0) + 1)
    const beganAt = this.queue.now
    let over = false
    return () => {
      if (over) return
      over = true
      changed()
      const left = (rules.get(key) ?? 1) - 1
      if (left === 0) rules.delete(key)
      else rules.set(key, left)
      // TCP retransmits in doubling steps: what waited arrives a while after the way is free.
      for (const end of this.ends) end.retry(Math.min(5_000, (this.queue.now - beganAt) / 2))
    }
  }

  private chanceOf(name: string): Chance {
    let chance = this.streams.get(name)
    if (chance === undefined) {
      chance = this.chance.fork(name)
      this.streams.set(name, chance)
    }
    return chance
  }
}

function matches(rules: ReadonlyMap<string, number>, from: string, to: string): boolean {
  if (rules.size === 0) return false
  return rules.has(`${from}>${to}`) || rules.has(`${from}>${ANY}`) || rules.has(`${ANY}>${to}`)
}
