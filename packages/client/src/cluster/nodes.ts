/** Which nodes of a cluster there are, configured and learnt, and which one is next. */
import { hostFault, STREAM_PATH } from '@rollcall/wire'
import type { MachineSettings } from '../machine/settings.js'

/** Most nodes that are learnt: a cluster has a handful, and what names more is broken. */
const LEARNT_MAX = 64

/** Most attempts that follow each other at once. */
const ROUND_MAX = 8

/** A place to go to. */
interface Known {
  readonly url: string
  readonly configured: boolean
  /** Named by the cluster at present, as this. */
  address: string | undefined
  /** By chance, so that clients spread evenly. */
  readonly rank: number
  /** It has welcomed this client before. */
  proven: boolean
  /** Number of the last attempt, if that failed; 0 otherwise. */
  failedAt: number
  /** Failed since all that is sound was tried. */
  spent: boolean
  /** The cluster it turned out to belong to, where that is another. */
  foreign: string | undefined
}

/**
 * Learnt nodes come first, in an order that each client draws by lot; configured ones stay beside them. Behind a balancer or a
 * translation of addresses no learnt node may be reachable: one failed attempt makes doubtful those that never welcomed this
 * client, and of the doubtful one is tried when everything else has failed.
 */
export class Nodes {
  private readonly settings: Pick<MachineSettings, 'urls' | 'random' | 'learnNodes'>
  private readonly known = new Map<string, Known>()
  /** Attempts that try every node which deserved one before they began. */
  round = 0
  private attempts = 0
  /** A learnt node failed and none has ever welcomed. */
  private distrusted = false
  private expected: string | undefined
  /** Where the client is, or was last: the URL, and the one that its cluster names for it. */
  private place: readonly (string | undefined)[] = []

  constructor(settings: Pick<MachineSettings, 'urls' | 'random' | 'learnNodes'>) {
    this.settings = settings
    for (const url of settings.urls) this.add(url, true)
    this.count()
  }

  /** Addresses that the cluster named last, this client's node first. */
  get learnt(): readonly string[] {
    return [...this.known.values()].flatMap(({ address }) => (address === undefined ? [] : [address]))
  }

  /** Whether there is a node beside the one where the client is. */
  get hasOther(): boolean {
    return [...this.known.keys()].some((url) => !this.place.includes(url))
  }

  /** Name of the cluster, once one of its nodes has welcomed this client. */
  get cluster(): string | undefined {
    return this.expected
  }

  /** Whether registrations may be sent before it says which cluster it belongs to. */
  isSure(url: string): boolean {
    return this.expected === undefined || this.known.get(url)?.proven === true
  }

  /** Where to go next. `elsewhere`: not by the way by which the client came, unless no other is sound: that may lead to another node. */
  next(elsewhere: boolean): string {
    const all = [...this.known.values()]
    const others = all.filter((node) => !this.place.includes(node.url))
    const some = elsewhere && others.some((node) => !this.isDoubtful(node)) ? others : all
    const sound = some.filter((node) => !this.isDoubtful(node))
    const fresh = sound.filter(({ spent }) => !spent)
    if (fresh.length > 0) return this.best(fresh)
    for (const node of sound) node.spent = false
    const doubtful = some.filter((node) => this.isDoubtful(node))
    return this.best(doubtful.length > 0 ? doubtful : sound)
  }

  /** The URL of an address that a node named, under the scheme by which that was reached; undefined where it is none. */
  urlOf(address: string, reachedBy: string): string | undefined {
    const [, bracketed, plain, port] =
      /^(?:\[([0-9A-Fa-f:.]+)\]|([^:/?#@[\]\s]+)):(\d{1,5})$/.exec(address) ?? []
    const host = bracketed ?? plain
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined
    if (hostFault(host) !== undefined || host.includes(':') !== (bracketed !== undefined)) return undefined
    const scheme = reachedBy.startsWith('wss:') ? 'wss' : 'ws'
    const text = `${scheme}://${address}${STREAM_PATH}`
    const url = URL.canParse(text) ? new URL(text).href : undefined
    return url !== undefined && (this.settings.learnNodes || this.known.has(url)) ? url : undefined
  }

  /**
   * A node has named the nodes of its cluster, itself first. What was learnt before is forgotten, unless the node is an island,
   * which knows less than others.
   */
  learn(reachedBy: string, addresses: readonly string[], island: boolean): void {
    const named = new Map<string, string>()
    for (const address of addresses.slice(0, LEARNT_MAX)) {
      const url = this.urlOf(address, reachedBy)
      if (url !== undefined) named.set(url, address)
    }
    for (const [url, node] of this.known) {
      if (named.has(url) || node.address === undefined || island) continue
      node.address = undefined
      if (!node.configured) this.known.delete(url)
    }
    for (const [url, address] of named) {
      const node = this.known.get(url) ?? (this.learnt.length < LEARNT_MAX ? this.add(url, false) : undefined)
      if (node !== undefined) node.address = address
    }
    this.count()
    // One that others count as gone does not name itself.
    const own = island ? undefined : addresses[0]
    this.place = [reachedBy, own === undefined ? undefined : this.urlOf(own, reachedBy)]
  }

  /** The client is at this node now: what failed before may be tried anew. */
  settled(url: string): void {
    this.place = [url]
    this.welcomed(url)
    for (const node of this.known.values()) {
      node.spent = false
      if (!this.isDoubtful(node)) node.failedAt = 0
    }
    this.count()
  }

  /** A node of the cluster answered, whether the client goes there or not. */
  welcomed(url: string): void {
    const node = this.known.get(url)
    if (node === undefined) return
    node.proven = true
    node.foreign = undefined
    if (node.address !== undefined) this.distrusted = false
  }

  /** An attempt led nowhere. */
  failed(url: string): void {
    const node = this.known.get(url)
    if (node === undefined) return
    node.failedAt = ++this.attempts
    node.spent = true
    const isLearnt = ({ address }: Known): boolean => address !== undefined
    if (isLearnt(node) && ![...this.known.values()].some((each) => isLearnt(each) && each.proven))
      this.distrusted = true
  }

  /**
   * Whether a node that says that it belongs to this cluster is one of those that are meant. An address that was learnt never
   * leads to another cluster. Where every configured node has come to say another name, it has been given another name.
   */
  accepts(url: string, cluster: string): boolean {
    if (this.expected === undefined || this.expected === cluster) {
      this.expected = cluster
      return true
    }
    const node = this.known.get(url)
    if (node === undefined) return false
    node.foreign = cluster
    const configured = [...this.known.values()].filter((each) => each.configured)
    if (!node.configured || configured.some(({ foreign }) => foreign !== cluster)) return false
    this.expected = cluster
    for (const each of configured) each.foreign = undefined
    return true
  }

  private count(): void {
    const sound = [...this.known.values()].filter((node) => !this.isDoubtful(node)).length
    this.round = Math.min(ROUND_MAX, sound + (sound < this.known.size ? 1 : 0))
  }

  private add(url: string, configured: boolean): Known {
    const node: Known = {
      url,
      configured,
      address: undefined,
      rank: this.settings.random(),
      proven: false,
      failedAt: 0,
      spent: false,
      foreign: undefined,
    }
    this.known.set(url, node)
    return node
  }

  /** Never reached, and better not waited for. */
  private isDoubtful({ configured, proven, failedAt }: Known): boolean {
    return !configured && !proven && (this.distrusted || failedAt > 0)
  }

  private best(nodes: readonly Known[]): string {
    const key = ({ url, address, failedAt, rank }: Known): readonly number[] => [
      failedAt,
      this.place.includes(url) ? 1 : 0,
      address === undefined || this.distrusted ? 1 : 0,
      rank,
    ]
    const [first] = nodes.toSorted((a, b) => {
      const [left, right] = [key(a), key(b)]
      const index = left.findIndex((part, place) => part !== right[place])
      return index < 0 ? 0 : left[index]! - right[index]!
    })
    return first!.url
  }
}
