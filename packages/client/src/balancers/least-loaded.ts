/** The balancer `least-loaded`: two choices by weight, the less loaded wins. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { AttemptReport, Balancer, BalancerTools } from './balancer.js'
import { AliasTable } from './alias-table.js'
import { instanceKey } from '../machine/keys.js'
import type { Random } from '../machine/ports.js'

/** How the balancer `least-loaded` remembers. */
export interface LeastLoadedOptions {
  /** A slow answer has lost two thirds of its weight after this. Default 5,000: longer than a pause, shorter than a trouble. */
  readonly decayMs?: number
}

const DECAY_MS = 5_000
/** A failure counts like an answer that took this many times as long as usual: failing fast must not attract calls. */
const FAILURE_FACTOR = 2
/** Longer latencies are not told apart. */
const LATENCY_MS_MAX = 60_000

interface Peer {
  readonly instance: Instance
  inFlight: number
  /** Weight, with 1 for the average. */
  weight: number
  /** Recent latency; undefined until an answer came. */
  latencyMs: number | undefined
  measuredAt: number
}

/**
 * Of two candidates chosen by weight the one with less to do: recent latency times calls in flight. A latency
 * above the average counts at once, one below it bit by bit, and all fade with time, so that one that was slow is
 * asked again. The first of the two wins a tie: with equal loads all are chosen by weight.
 *
 * Loads are those of this process: calls by `call`, `fetch` and `attempt`, and latencies given to `report`. A pick
 * reads the clock, since loads fade.
 */
export function createLeastLoaded(
  tools: BalancerTools,
  { decayMs = DECAY_MS }: LeastLoadedOptions = {},
): Balancer {
  if (!(decayMs > 0 && decayMs < Infinity))
    throw new RegistryError('invalid_argument', 'the decay is a time in milliseconds', {
      field: 'balancer.decayMs',
    })
  return new LeastLoaded(tools, decayMs)
}

class LeastLoaded implements Balancer {
  private readonly random: Random
  private readonly tools: BalancerTools
  private readonly decayMs: number
  private peers: Peer[] = []
  private byInstance = new Map<Instance, Peer>()
  private byKey = new Map<string, Peer>()
  private table = new AliasTable([])
  /** Latency of all, for those of whom nothing is known. */
  private usualMs = 1

  constructor(tools: BalancerTools, decayMs: number) {
    this.tools = tools
    this.random = tools.random
    this.decayMs = decayMs
  }

  update(candidates: readonly Instance[]): void {
    const weighted = candidates.filter((candidate) => candidate.weight > 0)
    const list = weighted.length === 0 ? candidates : weighted
    const sum = list.reduce((total, { weight }) => total + weight, 0)
    const known = this.byKey
    this.peers = list.map((instance) => {
      const before = known.get(peerKey(instance))
      const weight = sum === 0 ? 1 : (instance.weight * list.length) / sum
      return before === undefined
        ? { instance, inFlight: 0, weight, latencyMs: undefined, measuredAt: 0 }
        : { ...before, instance, weight }
    })
    this.byInstance = new Map(this.peers.map((peer) => [peer.instance, peer]))
    this.byKey = new Map(this.peers.map((peer) => [peerKey(peer.instance), peer]))
    this.table = new AliasTable(this.peers.map((peer) => peer.weight))
  }

  pick(): Instance | undefined {
    const { peers, random, table } = this
    if (peers.length < 2) return peers[0]?.instance
    const one = peers[table.draw(random())]!
    const other = peers[table.draw(random())]!
    if (one === other) return one.instance
    const now = this.tools.now()
    return this.load(other, now) < this.load(one, now) ? other.instance : one.instance
  }

  began(instance: Instance): void {
    const peer = this.find(instance)
    if (peer !== undefined) peer.inFlight += 1
  }

  ended(instance: Instance, { outcome, latencyMs, wasBegun }: AttemptReport): void {
    const peer = this.find(instance)
    if (peer === undefined) return
    if (wasBegun && peer.inFlight > 0) peer.inFlight -= 1
    if (latencyMs === undefined) return
    const now = this.tools.now()
    const current = this.latency(peer, now)
    // An attempt that was given up took at least this long.
    if (outcome === undefined && latencyMs <= current) return
    const failed = outcome !== undefined && outcome !== 'success'
    const took = failed ? Math.max(latencyMs, FAILURE_FACTOR * current) : latencyMs
    this.measured(peer, Math.min(LATENCY_MS_MAX, took), current, now)
  }

  private measured(peer: Peer, latencyMs: number, current: number, now: number): void {
    const kept = this.kept(now - peer.measuredAt)
    const average = (peer.latencyMs ?? latencyMs) * kept + latencyMs * (1 - kept)
    peer.latencyMs = latencyMs > current ? latencyMs : average
    peer.measuredAt = now
    this.usualMs += (latencyMs - this.usualMs) / Math.max(2, this.peers.length)
  }

  private load(peer: Peer, now: number): number {
    return this.latency(peer, now) * (1 + peer.inFlight / peer.weight)
  }

  private latency(peer: Peer, now: number): number {
    return peer.latencyMs === undefined ? this.usualMs : peer.latencyMs * this.kept(now - peer.measuredAt)
  }

  private kept(elapsedMs: number): number {
    return Math.exp(-elapsedMs / this.decayMs)
  }

  /** By object, which is fast; a call that began before an update names an older object of the same instance. */
  private find(instance: Instance): Peer | undefined {
    return this.byInstance.get(instance) ?? this.byKey.get(peerKey(instance))
  }
}

/** A new process under an old id has neither its latency nor its calls. */
function peerKey(instance: Instance): string {
  return `${instanceKey(instance)}\n${instance.incarnation}`
}
