/** The endpoints of one service, chosen by tag, group and zone, with their records made once. */
import {
  createServiceRecords,
  type Endpoint,
  type TargetNames,
  toAddressRecord,
  toAliasRecord,
} from './mapping.js'
import { PoolBuilder, type RecordPool, type ResourceRecord } from './pool.js'
import { isStepOver, Shared, STEP_ITEMS, type Steps, type WorkTurns } from './steps.js'

/** What endpoints are chosen by; what is absent does not count. */
export interface EndpointChoice {
  readonly tag?: string | undefined
  readonly group?: string | undefined
  readonly zone?: string | undefined
}

export type RecordKind = 'ipv4' | 'ipv6' | 'address' | 'alias' | 'service'

/** A zone as its records show it: one object for each, by whose name they are kept. */
export interface RecordZone {
  readonly targets: TargetNames
  readonly ttlSeconds: number
}

/** Those that were chosen, in any state. */
export class ChosenEndpoints {
  /** Whether none of them may be told of. */
  readonly isEmpty: boolean
  /** Of those that may. */
  readonly size: number
  private readonly usable: readonly Endpoint[]
  private readonly pools = new Map<string, RecordPool | Shared<RecordPool>>()
  private readonly turns: WorkTurns

  constructor(endpoints: readonly Endpoint[], turns: WorkTurns) {
    const good = endpoints.filter(({ eligibility }) => eligibility === 'good')
    this.usable = good.length > 0 ? good : endpoints.filter(({ eligibility }) => eligibility === 'last')
    this.size = this.usable.length
    this.isEmpty = this.size === 0
    this.turns = turns
  }

  /** The records of a kind, to draw from. */
  *records(kind: RecordKind, zone: RecordZone): Steps<RecordPool> {
    const key = `${kind} ${zone.targets.addressZone.join('.')}`
    let found = this.pools.get(key)
    if (found === undefined) {
      const steps = this.make(kind, zone)
      found = this.size < STEP_ITEMS ? yield* steps : new Shared(this.turns, steps)
      this.pools.set(key, found)
    }
    if (!(found instanceof Shared)) return found
    const pool = yield* found.result()
    this.pools.set(key, pool)
    return pool
  }

  private make(kind: RecordKind, { targets, ttlSeconds }: RecordZone): Steps<RecordPool> {
    const { usable } = this
    if (kind === 'service')
      return poolOf(usable, {
        ttlSeconds,
        keyOf: ({ host, port }) => `${host} ${port}`,
        together: Math.max,
        recordOf: createServiceRecords(targets),
      })
    if (kind === 'alias')
      // Beside an alias there may be nothing else (RFC 1034, 3.6.2).
      return poolOf(willing(usable.every(({ address }) => address === undefined) ? usable : []), {
        ttlSeconds,
        keyOf: ({ host }) => host,
        together: sum,
        recordOf: ({ host }) => toAliasRecord(host),
        most: 1,
      })
    const length = { ipv4: 4, ipv6: 16, address: undefined }[kind]
    const reached = usable.filter(
      ({ address }) => address !== undefined && (length === undefined || address.length === length),
    )
    return poolOf(willing(reached), {
      ttlSeconds,
      keyOf: ({ address }) => String(address),
      together: sum,
      recordOf: ({ address }) => toAddressRecord(address ?? []),
    })
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

interface PoolRules {
  readonly ttlSeconds: number
  /** Those with the same key are one record. */
  readonly keyOf: (endpoint: Endpoint) => string
  /** The weight of two that are one record. */
  readonly together: (a: number, b: number) => number
  readonly recordOf: (endpoint: Endpoint, weight: number) => ResourceRecord
  readonly most?: number
}

function* poolOf(endpoints: readonly Endpoint[], rules: PoolRules): Steps<RecordPool> {
  const { ttlSeconds, keyOf, together, recordOf, most } = rules
  const weights = new Map<string, { readonly endpoint: Endpoint; weight: number }>()
  for (const [place, endpoint] of endpoints.entries()) {
    const key = keyOf(endpoint)
    const same = weights.get(key)
    if (same === undefined) weights.set(key, { endpoint, weight: endpoint.weight })
    else same.weight = together(same.weight, endpoint.weight)
    if (isStepOver(place)) yield
  }
  const pool = new PoolBuilder(ttlSeconds)
  let place = 0
  for (const { endpoint, weight } of weights.values()) {
    pool.add(recordOf(endpoint, weight), weight)
    if (isStepOver(place++)) yield
  }
  return pool.build(most)
}

/** Endpoints by what they can be chosen by. */
interface ChoiceIndex {
  readonly lists: ReadonlyMap<string, readonly Endpoint[]>
  /** What tags with dots end with. */
  readonly tagEnds: ReadonlySet<string>
}

/** The endpoints of a service as they were at one moment. */
export class ServiceEndpoints {
  readonly size: number
  private readonly all: readonly Endpoint[]
  private readonly turns: WorkTurns
  /** Made when it is first asked for. */
  private index: ChoiceIndex | Shared<ChoiceIndex> | undefined
  private readonly selections = new Map<string, ChosenEndpoints | undefined>()
  /** Endpoints in all selections. */
  private chosen = 0

  constructor(all: readonly Endpoint[], turns: WorkTurns) {
    this.all = all
    this.size = all.length
    this.turns = turns
  }

  /** Those of a choice; undefined where there is none of them, in no state. */
  *select(choice: EndpointChoice): Steps<ChosenEndpoints | undefined> {
    const keys = keysOf(choice)
    const key = keys.join('\n')
    if (this.selections.has(key)) return this.selections.get(key)
    const chosen = keys.length === 0 ? this.all : yield* this.choose(choice, keys)
    if (chosen === undefined) return undefined
    const cost = chosen.length + SELECTION_COST
    if (this.chosen + cost > this.size * KEPT_CHOICES + KEPT_MIN) {
      this.selections.clear()
      this.chosen = 0
    }
    this.chosen += cost
    const made = chosen.length === 0 ? undefined : new ChosenEndpoints(chosen, this.turns)
    this.selections.set(key, made)
    return made
  }

  /** Whether a tag ends with these labels and has others before them. */
  *isEndOfTag(end: string): Steps<boolean> {
    return (yield* this.indexed()).tagEnds.has(end)
  }

  /** Undefined at once where a tag, a group or a zone is none of this service; where they do not meet, that was work, and is kept. */
  private *choose(choice: EndpointChoice, keys: readonly string[]): Steps<readonly Endpoint[] | undefined> {
    const { lists } = yield* this.indexed()
    const found = keys.map((key) => lists.get(key)).filter((list) => list !== undefined)
    if (found.length < keys.length) return undefined
    const [smallest = []] = found.sort((a, b) => a.length - b.length)
    const { tag, group, zone } = choice
    return smallest.filter(
      (endpoint) =>
        (tag === undefined || endpoint.tags.includes(tag)) &&
        (group === undefined || endpoint.group === group) &&
        (zone === undefined || endpoint.zone === zone),
    )
  }

  private *indexed(): Steps<ChoiceIndex> {
    if (this.index === undefined) {
      const steps = indexOf(this.all)
      this.index = this.size < STEP_ITEMS ? yield* steps : new Shared(this.turns, steps)
    }
    if (!(this.index instanceof Shared)) return this.index
    return (this.index = yield* this.index.result())
  }
}

/** Selections that are kept of a service hold so many times its endpoints, and a few more. Beyond it all are made anew. */
const KEPT_CHOICES = 8
const KEPT_MIN = 4_096
/** What a selection costs beside its endpoints. */
const SELECTION_COST = 8

const TAG = 'tag '

function keysOf({ tag, group, zone }: EndpointChoice): string[] {
  return [
    ...(tag === undefined ? [] : [TAG + tag]),
    ...(group === undefined ? [] : [`group ${group}`]),
    ...(zone === undefined ? [] : [`zone ${zone}`]),
  ]
}

function* indexOf(all: readonly Endpoint[]): Steps<ChoiceIndex> {
  const lists = new Map<string, Endpoint[]>()
  const tagEnds = new Set<string>()
  const add = (key: string, endpoint: Endpoint): void => {
    const list = lists.get(key)
    if (list === undefined) lists.set(key, [endpoint])
    else list.push(endpoint)
  }
  for (const [place, endpoint] of all.entries()) {
    const { tags, group, zone } = endpoint
    for (const tag of tags) {
      add(TAG + tag, endpoint)
      for (let dot = tag.indexOf('.'); dot >= 0; dot = tag.indexOf('.', dot + 1))
        tagEnds.add(tag.slice(dot + 1))
    }
    for (const key of keysOf({ group, zone })) add(key, endpoint)
    if (isStepOver(place)) yield
  }
  return { lists, tagEnds }
}
