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
import type { Departed } from './departed.js'
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

/** A service may remember a million that left, and as many changes: no more of either are looked at for one view. */
const WALK_MAX = 4_096

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
    ...(content.foreign === undefined ? {} : { via: content.foreign.protocol }),
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
  return wholeView(captureView(directory, name, now, facts))
}

/** A captured view, written out. */
export function wholeView(capture: ViewCapture): View {
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
  for (const entry of listedEntries(directory, name)) {
    const { record, state, since, hi, lo } = entry
    if (filter === undefined || passes(filter, entry)) listed.push({ record, state, since, hi, lo })
  }
  const removes = service === undefined ? [] : recentRemoves(service, name.group)
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

/** The entries that a view lists. */
export function* listedEntries(
  directory: Directory,
  { namespace, service, group }: ViewName,
): Generator<Entry> {
  for (const entry of candidatesOf(directory.find(namespace, service), group))
    if (entry.state !== null && (group === undefined || entry.record.group === group)) yield entry
}

/** Number of instances that a view lists. */
export function sizeOfView(directory: Directory, { namespace, service, group }: ViewName): number {
  const node = directory.find(namespace, service)
  return (group === undefined ? node?.total : node?.groups.get(group)?.total) ?? 0
}

/** What holds the listed instances of a service, or of a group of it, and as little else as can be. */
function candidatesOf(service: ServiceNode | undefined, name: string | undefined): Iterable<Entry> {
  if (service === undefined || name === undefined) return service?.entries ?? []
  const held = service.groups.get(name)?.entries
  return held === undefined || held.size < service.entries.size ? (held?.values() ?? []) : service.entries
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

/**
 * Those who left and are still remembered, so that a reader can tell a deregistration from an absence. Where there are
 * too many, the first to be left out are the replaced, because their ids are in the list anyway, then the strays.
 */
export function recentRemoves(service: ServiceNode, group: string | undefined): Remove[] {
  const removes: Remove[] = []
  for (const step of service.history.replaced(WALK_MAX)) {
    if (step.removed === undefined || (group !== undefined && step.group !== group)) continue
    removes.push({ group: step.group, id: step.id, ...step.removed })
  }
  for (const hidden of [service.strays, service.departed]) {
    for (const entry of latest(hidden, group))
      removes.push({ group: entry.record.group, id: entry.record.id, ...removalOf(entry) })
  }
  return removes.slice(-REMOVES_MAX)
}

/** The latest of those who left, oldest first. A group is looked for among as many of its service as a walk may take. */
function latest(hidden: Departed<Entry>, group: string | undefined): Entry[] {
  const found: Entry[] = []
  let walked = 0
  for (const entry of hidden.latest()) {
    if (found.length === REMOVES_MAX || ++walked > WALK_MAX) break
    if (group === undefined || entry.record.group === group) found.push(entry)
  }
  return found.reverse()
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
