/** The endpoints of one service, chosen by tag, group and zone, with their records made once. */
import type { ResourceRecord } from './codec.js'
import { createPool, type Pool } from './draw.js'
import {
  type Endpoint,
  type TargetNames,
  toAddressRecord,
  toAliasRecord,
  toServiceRecord,
} from './mapping.js'

/** What endpoints are chosen by; what is absent does not count. */
export interface EndpointChoice {
  readonly tag?: string | undefined
  readonly group?: string | undefined
  readonly zone?: string | undefined
}

export type RecordKind = 'ipv4' | 'ipv6' | 'alias' | 'service'

/** Choices that are kept of one service: tags times zones, in a common case. Beyond it all are made anew. */
const CHOICES_MAX = 256

/** Those that were chosen, in any state. */
export class ChosenEndpoints {
  private readonly usable: readonly Endpoint[]
  private readonly pools = new Map<string, Pool<ResourceRecord>>()

  constructor(endpoints: readonly Endpoint[]) {
    const good = endpoints.filter(({ eligibility }) => eligibility === 'good')
    this.usable = good.length > 0 ? good : endpoints.filter(({ eligibility }) => eligibility === 'last')
  }

  /** Whether none of them may be told of. */
  get isEmpty(): boolean {
    return this.usable.length === 0
  }

  /** The records of a kind, to draw from. `names`: one object for each zone, by which they are kept. */
  records(kind: RecordKind, names: TargetNames): Pool<ResourceRecord> {
    const key = kind === 'service' ? names.addressZone.join('.') : `.${kind}`
    const found = this.pools.get(key) ?? this.make(kind, names)
    this.pools.set(key, found)
    return found
  }

  private make(kind: RecordKind, names: TargetNames): Pool<ResourceRecord> {
    if (kind === 'service')
      return poolOf(
        this.usable,
        ({ host, port }) => `${host} ${port}`,
        Math.max,
        (endpoint) => toServiceRecord(endpoint, names),
      )
    if (kind === 'alias') {
      // Beside an alias there may be nothing else (RFC 1034, 3.6.2).
      const named = this.usable.every(({ address }) => address === undefined) ? this.usable : []
      return poolOf(
        willing(named),
        ({ host }) => host,
        sum,
        ({ host }) => toAliasRecord(host),
      )
    }
    const length = kind === 'ipv4' ? 4 : 16
    const reached = this.usable.filter(({ address }) => address?.length === length)
    return poolOf(
      willing(reached),
      ({ address }) => String(address),
      sum,
      ({ address }) => toAddressRecord(address as Uint8Array),
    )
  }
}

/** An address cannot say that its weight is 0: those are left out, unless all are. */
function willing(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const some = endpoints.filter(({ weight }) => weight > 0)
  return some.length > 0 ? some : endpoints
}

function sum(a: number, b: number): number {
  return a + b
}

/** One record for each key, with the weights of those that share it taken together. */
function poolOf(
  endpoints: readonly Endpoint[],
  keyOf: (endpoint: Endpoint) => string,
  together: (a: number, b: number) => number,
  recordOf: (endpoint: Endpoint) => ResourceRecord,
): Pool<ResourceRecord> {
  const merged = new Map<string, Endpoint>()
  for (const endpoint of endpoints) {
    const key = keyOf(endpoint)
    const other = merged.get(key)
    const weight = other === undefined ? endpoint.weight : together(other.weight, endpoint.weight)
    merged.set(key, other === undefined ? endpoint : { ...other, weight })
  }
  const all = [...merged.values()]
  return createPool(
    all.map(recordOf),
    all.map(({ weight }) => weight),
  )
}

/** The endpoints of a service as they were at one moment. */
export class ServiceEndpoints {
  readonly size: number
  private readonly all: readonly Endpoint[]
  /** Endpoints by what they can be chosen by, made when it is first asked for. */
  private index: Map<string, Endpoint[]> | undefined
  private readonly selections = new Map<string, ChosenEndpoints>()

  constructor(all: readonly Endpoint[]) {
    this.all = all
    this.size = all.length
  }

  /** Those of a choice; undefined where there is none of them, in no state. */
  select(choice: EndpointChoice): ChosenEndpoints | undefined {
    const keys = keysOf(choice)
    const key = keys.join('\n')
    const kept = this.selections.get(key)
    if (kept !== undefined) return kept
    const chosen = keys.length === 0 ? this.all : this.chosen(keys)
    if (chosen.length === 0) return undefined
    if (this.selections.size >= CHOICES_MAX) this.selections.clear()
    const made = new ChosenEndpoints(chosen)
    this.selections.set(key, made)
    return made
  }

  /** Whether a tag ends with these labels and has others before them. Costs the number of tags. */
  isEndOfTag(end: string): boolean {
    const suffix = `.${end}`
    for (const key of this.indexed().keys()) if (key.startsWith(TAG) && key.endsWith(suffix)) return true
    return false
  }

  private chosen(keys: readonly string[]): readonly Endpoint[] {
    const lists = keys.map((key) => this.indexed().get(key) ?? [])
    const [smallest = []] = lists.toSorted((a, b) => a.length - b.length)
    return smallest.filter((endpoint) => {
      const own = new Set(keysOfEndpoint(endpoint))
      return keys.every((key) => own.has(key))
    })
  }

  private indexed(): ReadonlyMap<string, readonly Endpoint[]> {
    if (this.index !== undefined) return this.index
    const index = new Map<string, Endpoint[]>()
    for (const endpoint of this.all) {
      for (const key of keysOfEndpoint(endpoint)) {
        const list = index.get(key)
        if (list === undefined) index.set(key, [endpoint])
        else list.push(endpoint)
      }
    }
    this.index = index
    return index
  }
}

const TAG = 'tag '

function keysOf({ tag, group, zone }: EndpointChoice): string[] {
  return [
    ...(tag === undefined ? [] : [TAG + tag]),
    ...(group === undefined ? [] : [`group ${group}`]),
    ...(zone === undefined ? [] : [`zone ${zone}`]),
  ]
}

function keysOfEndpoint({ tags, group, zone }: Endpoint): string[] {
  return [...tags.map((tag) => TAG + tag), ...keysOf({ group, zone })]
}
