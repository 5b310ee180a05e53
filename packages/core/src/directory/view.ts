/** From entries to the shapes of the wire: instances, full views and deltas. */
import {
  EMPTY_SIGN,
  formatLanes,
  type Delta,
  type Guard,
  type Instance,
  type Remove,
  type State,
  type View,
  type ViewName,
  parseLanes,
} from '@rollcall/wire'
import type { Directory, Entry, ServiceNode } from './directory.js'
import { effectiveWeight, hiddenReason, isLive, shownReason } from '../records/state.js'

/** Which instances of a view are asked for: those in one of these states, of this zone. */
export interface ViewFilter {
  readonly states?: readonly State[] | undefined
  readonly zone?: string | undefined
}

/**
 * A view as it was at one moment, to be written out later, in slices: what it holds does not change any more. A list of
 * records costs a fraction of a list of instances.
 */
export interface ViewCapture {
  readonly name: ViewName & Pick<View, 'sign'>
  /** Number of instances. */
  readonly size: number
  instance(place: number): Instance
  readonly facts: Omit<View, keyof ViewName | 'sign' | 'instances'>
}

/** Most recent removes that a full view carries. */
const REMOVES_MAX = 256

/** What an entry shows at one moment. */
type Moment = Pick<Entry, 'record' | 'state' | 'since' | 'hi' | 'lo'>

/** An entry as consumers see it, or undefined while it is hidden. */
export function toInstance(entry: Moment, now: number): Instance | undefined {
  const { record, state } = entry
  if (state === null || !isLive(record)) return undefined
  const { content } = record
  const reason = shownReason(record, state)
  return {
    namespace: record.namespace,
    service: record.service,
    group: record.group,
    id: record.id,
    host: content.host,
    port: content.port,
    ...(content.protocol === undefined ? {} : { protocol: content.protocol }),
    weight: effectiveWeight(record),
    ...(content.zone === undefined ? {} : { zone: content.zone }),
    metadata: content.metadata,
    state,
    stateAgeMs: Math.max(0, Math.round(now - entry.since)),
    incarnation: record.incarnation,
    digest: formatLanes(entry.hi, entry.lo),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** The sign of a view. */
export function signOfView(directory: Directory, name: ViewName): string {
  return directory.sum(name)?.toString() ?? EMPTY_SIGN
}

/** What a full view says beside its list. */
export interface ViewFacts {
  readonly stale: boolean
  /** What the breaker of the service does at present. */
  readonly guard: Guard
}

/** The full view; for an unknown service the empty one. */
export function fullView(directory: Directory, name: ViewName, now: number, facts: ViewFacts): View {
  const capture = captureView(directory, name, now, facts)
  const instances = Array.from({ length: capture.size }, (_, place) => capture.instance(place))
  return { ...capture.name, instances, ...capture.facts }
}

/** The view as it is now, or what passes the filter; for an unknown service the empty one. Its sign is that of the whole. */
export function captureView(
  directory: Directory,
  name: ViewName,
  now: number,
  { stale, guard }: ViewFacts,
  filter?: ViewFilter,
): ViewCapture {
  const service = directory.find(name.namespace, name.service)
  const listed: Moment[] = []
  const hidden = new Latest(REMOVES_MAX)
  for (const entry of service?.entries.values() ?? []) {
    const { record, state, since, hi, lo } = entry
    if (name.group !== undefined && record.group !== name.group) continue
    if (state === null) hidden.add(entry)
    else if (filter === undefined || passes(filter, entry)) listed.push({ record, state, since, hi, lo })
  }
  const removes = service === undefined ? [] : recentRemoves(service, name.group, hidden)
  return {
    name: { ...nameOf(name), sign: signOfView(directory, name) },
    size: listed.length,
    instance: (place) => shownInstance(listed[place], now),
    facts: {
      ...(removes.length === 0 ? {} : { removes }),
      guard,
      stale,
      ...(directory.freezes.covers(name.namespace) ? { frozen: true as const } : {}),
    },
  }
}

function shownInstance(moment: Moment | undefined, now: number): Instance {
  const instance = moment === undefined ? undefined : toInstance(moment, now)
  if (instance === undefined) throw new Error('a view lists what is shown')
  return instance
}

function passes({ states, zone }: ViewFilter, { record, state }: Entry): boolean {
  if (state === null || states?.includes(state) === false) return false
  return zone === undefined || (isLive(record) && record.content.zone === zone)
}

/** The latest of many entries: a service may remember far more who left than a view tells of. */
class Latest {
  private readonly ring: Entry[] = []
  private readonly size: number
  private count = 0

  constructor(size: number) {
    this.size = size
  }

  add(entry: Entry): void {
    this.ring[this.count++ % this.size] = entry
  }

  /** Oldest first. */
  entries(): Entry[] {
    const oldest = this.count > this.size ? this.count % this.size : 0
    return [...this.ring.slice(oldest), ...this.ring.slice(0, oldest)]
  }
}

/**
 * Those who left and are still remembered, so that a reader can tell a deregistration from an absence. The
 * replaced come first: when there are too many, they go first, because their ids are in the list anyway.
 */
function recentRemoves(service: ServiceNode, group: string | undefined, hidden: Latest): Remove[] {
  const removes: Remove[] = []
  for (const step of service.history.replaced()) {
    if (step.removed === undefined || (group !== undefined && step.group !== group)) continue
    removes.push({ group: step.group, id: step.id, ...step.removed })
  }
  for (const entry of hidden.entries()) {
    removes.push({ group: entry.record.group, id: entry.record.id, ...removalOf(entry) })
  }
  return removes.slice(-REMOVES_MAX)
}

/** Why a hidden instance is hidden, as far as is known by now: who left without a word may have said it since. */
function removalOf({ record }: Entry): Pick<Remove, 'incarnation' | 'reason'> {
  return { incarnation: record.incarnation, reason: hiddenReason(record) }
}

/**
 * The compacted change from `sign` to the present, which is empty where nothing changed; undefined when history does not
 * reach back to it.
 */
export function deltaSince(
  directory: Directory,
  name: ViewName,
  sign: string,
  current: string,
  now: number,
): Delta | undefined {
  if (sign === current) return { ...nameOf(name), from: sign, to: current, upserts: [], removes: [] }
  const service = directory.find(name.namespace, name.service)
  const changes = service?.history.since(parseLanes(sign), name.group)
  if (service === undefined || changes === undefined) return undefined
  const upserts: Instance[] = []
  const removes: Remove[] = []
  for (const step of changes.values()) {
    const entry = service.groups.get(step.group)?.entries.get(step.id)
    const instance = entry === undefined ? undefined : toInstance(entry, now)
    if (instance !== undefined) upserts.push(instance)
    else if (step.removed !== undefined)
      removes.push({
        group: step.group,
        id: step.id,
        ...(entry === undefined ? step.removed : removalOf(entry)),
      })
  }
  return { ...nameOf(name), from: sign, to: current, upserts, removes }
}

function nameOf(name: ViewName): ViewName {
  const { namespace, service, group } = name
  return group === undefined ? { namespace, service } : { namespace, service, group }
}
