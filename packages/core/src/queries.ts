/** What can be read of a node: each question is answered at once, and changes nothing. */
import {
  type Delta,
  EMPTY_SIGN,
  type EventsResponse,
  type Explanation,
  type FreezeSummary,
  type Instance,
  type NamespaceSettings,
  type NamespacesResponse,
  type OverridesList,
  type RegistryStatus,
  type ServiceSettings,
  type ServicesResponse,
  type SignsResponse,
  type SubscribersResponse,
  type View,
  type ViewName,
} from '@rollcall/wire'
import type { NodeBudgets } from './budgets/node-budgets.js'
import type { Directory, Entry } from './directory/directory.js'
import type { KeptValue, ValueChanges, ValueName } from './directory/kept-values.js'
import type { NamespacesQuery, Services, ServicesQuery } from './directory/services.js'
import { type ViewFilter, signOfView, toInstance, type ViewCapture } from './directory/view.js'
import type { KnownSilence, Restraints } from './liveness/insight.js'
import type { LivenessRules } from './liveness/liveness.js'
import type { EventLog, EventsQuery } from './operators/event-log.js'
import { explain } from './operators/explain.js'
import type { Overrides, OverridesQuery } from './operators/overrides.js'
import type { NodeHealth } from './publishing/node-health.js'
import type { Feed, FeedAnswer, FeedName } from './publishing/feed.js'
import type { Publisher } from './publishing/publisher.js'
import type { Views } from './publishing/views.js'
import type { InstanceKey, LiveContent, Override } from './records/record.js'
import { isLive } from './records/state.js'

export interface AudienceQuery {
  /** The number of an earlier answer: what happened later does not count. */
  readonly seq?: number
  /** How long ago the change was that the caller waits for; default 0. */
  readonly ageMs?: number
}

/** An instance that is listed, with what consumers of the native protocol don't see: for adapters of other ones. */
export interface Offer {
  readonly instance: Instance
  /** What its provider said, kept with the record: the same object while nothing of it changes. */
  readonly content: LiveContent
  /** What operators want of it, where they want something. */
  readonly override?: Override
}

/** The parts of a node that questions are put to. */
export interface QueriesDeps {
  readonly directory: Directory
  readonly feed: Feed
  readonly services: Services
  readonly liveness: LivenessRules
  readonly overrides: Overrides
  readonly events: EventLog
  readonly views: Views
  readonly publisher: Publisher
  readonly budgets: NodeBudgets
}

/** Whether the engine holds what is in memory; of what expired before it got there it never will. */
function isPublished({ record, published, revision }: Entry): boolean {
  const { content, verdict } = record
  return record === published || (revision === 0 && content.intent !== 'gone' && verdict.value === 'expired')
}

/** Events in an explanation. */
const EXPLAINED_EVENTS = 20

/** Freezes that are told of in a status. */
const FREEZES_TOLD = 10

export class Queries {
  private readonly deps: QueriesDeps
  private readonly now: () => number

  /** `now` is asked with each question. */
  constructor(deps: QueriesDeps, now: () => number) {
    this.deps = deps
    this.now = now
  }

  /** Namespaces in order, one page of them. */
  namespaces(query: NamespacesQuery = {}): NamespacesResponse {
    return this.deps.services.namespaces(query)
  }

  /** Services in order of namespace and name, with a sign over the whole answer for conditional requests. */
  services(query: ServicesQuery): ServicesResponse & { readonly sign: string } {
    return this.deps.services.list(query)
  }

  /** The sign of that answer; costs a fraction of it. */
  servicesSign(query: ServicesQuery): string {
    return this.deps.services.page(query).sign
  }

  /** The view, or undefined when the service was neither registered nor declared. */
  view(name: ViewName): View | undefined {
    return this.knows(name) ? this.deps.views.full(name, this.now()) : undefined
  }

  /** The sign of a view; the empty sign for an unknown service. O(1). */
  sign(name: ViewName): string {
    return signOfView(this.deps.directory, name)
  }

  /** The sign of all that is listed in a namespace, whatever service it is of. O(1). */
  signOfAll(namespace: string): string {
    return this.deps.directory.sumOf(namespace)?.toString() ?? EMPTY_SIGN
  }

  /** A number that is the same as long as no list has changed, nor which services there are. */
  version(): number {
    return this.deps.directory.version
  }

  /** Whether the service (or group) is known at all. */
  knows({ namespace, service, group }: ViewName): boolean {
    const node = this.deps.directory.find(namespace, service)
    if (node === undefined || group === undefined) return node !== undefined
    return node.groups.has(group) || node.settings?.groups?.includes(group) === true
  }

  /** The view, or what passes the filter, to be written out later; for an unknown service the empty one. */
  capture(name: ViewName, filter?: ViewFilter): ViewCapture {
    return this.deps.views.capture(name, this.now(), filter)
  }

  /** What leads from a sign to the present, empty where nothing changed; undefined where that is no longer known. */
  delta(name: ViewName, sign: string): Delta | undefined {
    return this.deps.views.delta(name, sign, this.now())
  }

  /** A listed service that a name nearly is: the same in lower or upper case, or with a capital. O(1). */
  namesake({ namespace, service }: ViewName): string | undefined {
    const lower = service.toLowerCase()
    const spellings = [lower, service.toUpperCase(), `${lower.slice(0, 1).toUpperCase()}${lower.slice(1)}`]
    return spellings.find(
      (each) => each !== service && this.deps.directory.find(namespace, each)?.listed === true,
    )
  }

  /**
   * The service that a name in lower case stands for, where case does not count: the listed one that is spelt like it,
   * else the first, in order, that differs in case alone.
   */
  spelling({ namespace, service }: ViewName): ViewName | undefined {
    const { directory } = this.deps
    const own = directory.find(namespace, service)
    const other = own?.listed === true ? undefined : directory.foldedNames.find({ namespace, service })
    return other ?? (own === undefined ? undefined : { namespace, service })
  }

  /** Whether the names of listed services end with these labels and have others before them, case aside. */
  isEndOfName({ namespace, service }: ViewName): boolean {
    return this.deps.directory.foldedNames.isEnd({ namespace, service })
  }

  /** Whether this node could probe a host that a caller at `peer` registers. By name: whether its addresses might be. */
  mayProbe(host: string, peer: string | undefined): boolean {
    return this.deps.liveness.insight.mayProbe(host, peer)
  }

  /** Whether this node judges the instance, and so listens and asks for it; not of one that it does not know. O(1). */
  judges(key: InstanceKey): boolean {
    const entry = this.deps.directory.entry(key)
    return entry !== undefined && this.deps.liveness.insight.isJudge(entry)
  }

  instance(key: InstanceKey): Instance | undefined {
    const entry = this.deps.directory.entry(key)
    return entry === undefined ? undefined : toInstance(entry, this.now())
  }

  /** A listed instance with all that is kept of it; undefined for one that is not listed. */
  offer(key: InstanceKey): Offer | undefined {
    const entry = this.deps.directory.entry(key)
    const instance = entry === undefined ? undefined : toInstance(entry, this.now())
    if (entry === undefined || instance === undefined || !isLive(entry.record)) return undefined
    const { content, override } = entry.record
    const stands = override !== undefined && override.value !== null
    return { instance, content, ...(stands ? { override } : {}) }
  }

  /**
   * The silence of a listed instance, for protocols whose own times decide in their answers: that it is the only one of its
   * service holds nothing back there. Undefined where none counts: this node judges it and never heard it, or its judge hears it.
   */
  silence(key: InstanceKey): KnownSilence | undefined {
    const entry = this.deps.directory.entry(key)
    return entry === undefined ? undefined : this.deps.liveness.insight.silence(entry, this.now())
  }

  /** What holds back conclusions from the silence of an instance; undefined for one this node does not know (any more). */
  restraints(key: InstanceKey): Restraints | undefined {
    const entry = this.deps.directory.entry(key)
    return entry === undefined ? undefined : this.deps.liveness.insight.restraints(entry, this.now())
  }

  /** The share of a service that silence may take at once: 1 is all of it. */
  silentShare({ namespace, service }: ViewName): number {
    return this.deps.liveness.guards.shareOf(this.deps.directory.find(namespace, service))
  }

  /** What changed in a namespace after an index of the feed; at most `limit` changes are looked at. */
  changes(namespace: string, index: number, limit: number): FeedAnswer {
    return this.deps.feed.since(namespace, index, limit)
  }

  /** The index of the last change of a namespace, a service or a group: never 0, and it never goes back while the node runs. */
  index(name: FeedName): number {
    return this.deps.feed.indexOf(name)
  }

  /** The views whose sign is not the one shown, with the sign they have. */
  compareSigns(items: readonly (ViewName & { readonly sign: string })[]): SignsResponse {
    return this.deps.services.compare(items)
  }

  serviceSettings(namespace: string, service: string): ServiceSettings | undefined {
    return this.deps.directory.find(namespace, service)?.settings
  }

  namespaceSettings(namespace: string): NamespaceSettings | undefined {
    return this.deps.directory.namespaceSettings.get(namespace)
  }

  /** How the node fares beside its peers. */
  health(): NodeHealth {
    return this.deps.views.health
  }

  /** Whether lists may lack what lives: the node is behind its peers, or began with nothing less than a lease ago. */
  isStale(): boolean {
    return this.deps.views.stale
  }

  /** What is listed, what operators want and what is doubted, in numbers. Costs the same, however much there is. */
  status(): RegistryStatus & { readonly watches: number } {
    const { directory, liveness, overrides, views, budgets } = this.deps
    const { listing, states, freezes } = directory
    const { heap, ...bounded } = budgets
    return {
      registry: {
        namespaces: listing.namespaceCount,
        services: listing.size,
        instances: { ...states },
        stale: views.stale,
      },
      guards: liveness.guards.doubts(),
      freezes: { total: freezes.size, oldest: freezes.oldest(FREEZES_TOLD, this.now()) },
      overrides: { total: overrides.size, ...overrides.wants },
      memory: {
        heapBytes: Math.max(0, heap.used),
        heapBytesMax: heap.max,
        budgets: Object.values(bounded).map(({ quota, used, max }) => ({ quota, used, max })),
      },
      watches: budgets.watches.used,
    }
  }

  /** What clients of another protocol have kept under a key. */
  value(name: ValueName): KeptValue | undefined {
    return this.deps.directory.values.get(name)
  }

  /** What they have kept under all keys that begin so, in order. Costs as much as there is: a thousand at most. */
  valuesBelow(name: ValueName): readonly KeptValue[] {
    return this.deps.directory.values.below(name)
  }

  /** What of it changed after an index of this node, with the present one. */
  valuesSince(index: number): ValueChanges {
    return this.deps.directory.values.since(index)
  }

  freezes(): readonly FreezeSummary[] {
    return this.deps.directory.freezes.list(this.now())
  }

  /** The overrides that stand. */
  overrides(query: OverridesQuery): OverridesList {
    return this.deps.overrides.list(query, this.now())
  }

  /** What happened, as far as it is remembered. */
  events(query: EventsQuery): EventsResponse {
    return this.deps.events.query(query)
  }

  /** Why an instance is, or is not, in the list; undefined for one this node does not know (any more). */
  explain(key: InstanceKey): Explanation | undefined {
    const { directory, liveness, overrides, events } = this.deps
    const entry = directory.entry(key)
    if (entry === undefined) return undefined
    const now = this.now()
    const { namespace, service, group, id } = key
    const facts = {
      inspection: liveness.insight.inspect(entry, now),
      isJudge: liveness.insight.isJudge(entry),
      guard: liveness.guardOf(entry.service),
      freezes: directory.freezes.over(namespace, now),
      remainingMs: overrides.remainingMs(entry, now),
      events: events.query({ namespace, service, group, id, limit: EXPLAINED_EVENTS }).events,
    }
    return explain(entry, facts, now)
  }

  /**
   * Whether every subscriber has acknowledged all that happened to these views until now, or until the publication
   * `seq` of an earlier answer: an instance that drained is then safe to stop. A group is asked for together with its
   * whole service. Pollers are not waited for.
   */
  settled(names: readonly ViewName[], seq?: number): { readonly settled: boolean; readonly seq: number } {
    const count = this.deps.publisher.audience(names, seq)
    return { settled: count.acknowledged === count.subscribers, seq: count.seq }
  }

  /**
   * The revision of the engine that holds all of these views as this node has them; undefined while it lacks something, as it does
   * where there is no engine. Costs their length.
   */
  publishedAt(names: readonly ViewName[]): number | undefined {
    let highest = 0
    for (const { namespace, service, group } of names) {
      for (const node of this.deps.directory.find(namespace, service)?.groups.values() ?? []) {
        if (group !== undefined && node.group !== group) continue
        for (const entry of node.entries.values()) {
          if (!isPublished(entry)) return undefined
          highest = Math.max(highest, entry.revision)
        }
      }
    }
    return highest
  }

  /** How many have heard of what happened to a service, or one group of it; undefined for one that is not known. */
  audience(name: ViewName, { seq, ageMs = 0 }: AudienceQuery): SubscribersResponse | undefined {
    const { directory, publisher } = this.deps
    const { namespace, service, group } = name
    const node = directory.find(namespace, service)
    if (node === undefined) return undefined
    const groups = group === undefined ? [...node.groups.keys()] : [group]
    const views = [{ namespace, service }, ...groups.map((each) => ({ namespace, service, group: each }))]
    const count = publisher.audience(views, seq)
    const pollersMs = publisher.pollersMs(name, ageMs, this.now())
    return { ...count, pollersMs, settled: count.acknowledged === count.subscribers && pollersMs === 0 }
  }
}
