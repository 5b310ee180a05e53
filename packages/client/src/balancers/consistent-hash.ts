/** The balancer `hash`: a key stays with its instance. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { AttemptReport, Balancer, BalancerTools } from './balancer.js'
import { hashText, Identity, mix } from './hash.js'
import { instanceKey } from '../machine/keys.js'

/** How the balancer `hash` bounds the load of one instance. */
export interface HashOptions {
  /**
   * Most calls in flight at one instance, as a multiple of its share of all. Default 1.25: a quarter above average.
   * Less moves keys more often, more bounds less. Greater than 1.
   */
  readonly loadFactor?: number
}

const LOAD_FACTOR = 1.25
/** So few calls overload no instance: below this a key stays where it is. */
const FREE_LOAD = 4
/** Places in which keys fall: enough for shares within a few percent at a thousand instances, in 256 KiB. */
const BUCKETS = 65_536
const UNKNOWN = -1
/** More newcomers at once than this, and the owners are found anew as they are asked for. */
const NEWCOMERS_MAX = 8
/** Other places tried for a key whose own is full, until all are looked at. */
const DETOURS_MAX = 16

interface Peer {
  readonly instance: Instance
  readonly key: string
  readonly identity: Identity
  readonly weight: number
  readonly slot: number
  inFlight: number
}

/**
 * The same key to the same instance (consistent hashing with bounded loads): each of 65,536 places belongs to the
 * instance that draws the highest number for it, so that an instance that leaves gives away its own keys only, and
 * one that joins takes its share evenly from all. Shares follow weights. A key whose instance has too many calls in
 * flight (those of this process, by `call`, `fetch` and `attempt`) goes to another, always the same while that
 * lasts. Without a key a place is drawn by chance.
 *
 * The first pick of a place after a change costs as much as there are instances, every other pick the same little.
 */
export function createConsistentHash(
  tools: BalancerTools,
  { loadFactor = LOAD_FACTOR }: HashOptions = {},
): Balancer {
  if (!(loadFactor > 1))
    throw new RegistryError('invalid_argument', 'the load factor must be greater than 1', {
      field: 'balancer.loadFactor',
    })
  return new ConsistentHash(tools, loadFactor)
}

class ConsistentHash implements Balancer {
  private readonly tools: BalancerTools
  private readonly loadFactor: number
  private readonly owners = new Int32Array(BUCKETS).fill(UNKNOWN)
  /** Slots stay while instances do, since places name them. */
  private slots: (Peer | undefined)[] = []
  private byKey = new Map<string, Peer>()
  private inFlight = 0
  private weights = 0

  constructor(tools: BalancerTools, loadFactor: number) {
    this.tools = tools
    this.loadFactor = loadFactor
  }

  update(candidates: readonly Instance[]): void {
    const weighted = candidates.filter((candidate) => candidate.weight > 0)
    const list = weighted.length === 0 ? candidates : weighted
    const before = this.byKey
    this.byKey = new Map()
    const newcomers: Instance[] = []
    for (const instance of list) {
      const key = instanceKey(instance)
      const known = before.get(key)
      if (known === undefined || known.weight !== weightOf(instance)) newcomers.push(instance)
      else this.keep({ ...known, instance })
    }
    this.release([...before.values()].filter((peer) => !this.byKey.has(peer.key)))
    const anew = newcomers.length > NEWCOMERS_MAX
    if (anew) this.owners.fill(UNKNOWN)
    for (const instance of newcomers) {
      const peer = this.seat(instance, before.get(instanceKey(instance))?.inFlight ?? 0)
      if (!anew) this.conquer(peer)
    }
    const peers = [...this.byKey.values()]
    this.weights = peers.reduce((sum, peer) => sum + peer.weight, 0)
    this.inFlight = peers.reduce((sum, peer) => sum + peer.inFlight, 0)
  }

  pick(key?: string): Instance | undefined {
    if (this.byKey.size === 0) return undefined
    const place = key === undefined ? Math.floor(this.tools.random() * BUCKETS) : hashText(key) % BUCKETS
    const owner = this.owner(place)
    if (owner.inFlight < FREE_LOAD || this.hasRoom(owner)) return owner.instance
    return this.detour(place).instance
  }

  began(instance: Instance): void {
    const peer = this.byKey.get(instanceKey(instance))
    if (peer === undefined) return
    peer.inFlight += 1
    this.inFlight += 1
  }

  ended(instance: Instance, { wasBegun }: AttemptReport): void {
    const peer = this.byKey.get(instanceKey(instance))
    if (!wasBegun || peer === undefined || peer.inFlight === 0) return
    peer.inFlight -= 1
    this.inFlight -= 1
  }

  private keep(peer: Peer): void {
    this.byKey.set(peer.key, peer)
    this.slots[peer.slot] = peer
  }

  /** Places of those who left, or whose weight changed, belong to none until they are asked for. */
  private release(leavers: readonly Peer[]): void {
    if (leavers.length === 0) return
    for (const { slot } of leavers) this.slots[slot] = undefined
    for (let place = 0; place < BUCKETS; place += 1) {
      const slot = this.owners[place]!
      if (slot !== UNKNOWN && this.slots[slot] === undefined) this.owners[place] = UNKNOWN
    }
  }

  private seat(instance: Instance, inFlight: number): Peer {
    const free = this.slots.indexOf(undefined)
    const slot = free === -1 ? this.slots.length : free
    const key = instanceKey(instance)
    const peer = { instance, key, identity: new Identity(key), weight: weightOf(instance), slot, inFlight }
    this.keep(peer)
    return peer
  }

  /** A newcomer takes the places for which it draws the highest number. */
  private conquer(peer: Peer): void {
    for (let place = 0; place < BUCKETS; place += 1) {
      const owner = this.known(place)
      if (owner !== undefined && beats(peer, owner, place)) this.owners[place] = peer.slot
    }
  }

  private known(place: number): Peer | undefined {
    const slot = this.owners[place]!
    return slot === UNKNOWN ? undefined : this.slots[slot]
  }

  private owner(place: number): Peer {
    const known = this.known(place)
    if (known !== undefined) return known
    let best: Peer | undefined
    for (const peer of this.byKey.values()) if (best === undefined || beats(peer, best, place)) best = peer
    this.owners[place] = best!.slot
    return best!
  }

  private hasRoom({ inFlight, weight }: Peer): boolean {
    return inFlight < Math.ceil((this.loadFactor * (this.inFlight + 1) * weight) / this.weights)
  }

  private detour(from: number): Peer {
    let place = from
    for (let detour = 1; detour <= DETOURS_MAX; detour += 1) {
      place = mix(place + detour) % BUCKETS
      const peer = this.owner(place)
      if (this.hasRoom(peer)) return peer
    }
    // The bounds add up to more than there is, so one of them has room.
    let best: Peer | undefined
    for (const peer of this.byKey.values())
      if (best === undefined || peer.inFlight / peer.weight < best.inFlight / best.weight) best = peer
    return best!
  }
}

function weightOf({ weight }: Instance): number {
  return weight === 0 ? 1 : weight
}

/** Whether `one` draws a higher number for a place: by weight, and by key where the numbers are equal. */
function beats(one: Peer, other: Peer, place: number): boolean {
  const [drawn, against] = [one.identity.at(place), other.identity.at(place)]
  if (drawn === against) return one.weight === other.weight ? one.key < other.key : one.weight > other.weight
  if (one.weight === other.weight) return drawn > against
  // Weighted rendezvous: the chance of the highest w / -ln(u) is proportional to w.
  return one.weight * -Math.log((against + 1) / 2 ** 32) > other.weight * -Math.log((drawn + 1) / 2 ** 32)
}
