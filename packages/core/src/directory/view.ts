/** From entries to the shapes of the wire: instances, full views and deltas. */
import {
  EMPTY_SIGN,
  formatLanes,
  type Delta,
  type Guard,
  type Instance,
  type Remove,
  type View,
  type ViewName,
  parseLanes,
} from '@rollcall/wire'
import type { Directory, Entry, ServiceNode } from './directory.js'
import { effectiveWeight, hiddenReason, isLive, shownReason } from '../records/state.js'

/** The answer to a reader that shows a sign. */
export type Resume =
  | { readonly kind: 'current'; readonly sign: string }
  | { readonly kind: 'delta'; readonly delta: Delta }
  | { readonly kind: 'view'; readonly view: View }

/** Most recent removes that a full view carries. */
const REMOVES_MAX = 256

/** An entry as consumers see it, or undefined while it is hidden. */
export function toInstance(entry: Entry, now: number): Instance | undefined {
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
export function fullView(
  directory: Directory,
  name: ViewName,
  now: number,
  { stale, guard }: ViewFacts,
): View {
  const service = directory.find(name.namespace, name.service)
  const instances: Instance[] = []
  const hidden = new Latest(REMOVES_MAX)
  for (const entry of service?.entries.values() ?? []) {
    if (name.group !== undefined && entry.record.group !== name.group) continue
    const instance = toInstance(entry, now)
    if (instance === undefined) hidden.add(entry)
    else instances.push(instance)
  }
  const removes = service === undefined ? [] : recentRemoves(service, name.group, hidden)
  return {
    ...nameOf(name),
    sign: signOfView(directory, name),
    instances,
    ...(removes.length === 0 ? {} : { removes }),
    guard,
    stale,
    ...(directory.freezes.covers(name.namespace) ? { frozen: true as const } : {}),
  }
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

/** What a subscriber at `sign` needs: nothing, one compacted delta, or the full view. */
export function resumeView(
  directory: Directory,
  name: ViewName,
  sign: string,
  now: number,
  facts: ViewFacts,
): Resume {
  const current = signOfView(directory, name)
  if (current === sign) return { kind: 'current', sign: current }
  const delta = deltaSince(directory, name, sign, current, now)
  return delta === undefined
    ? { kind: 'view', view: fullView(directory, name, now, facts) }
    : { kind: 'delta', delta }
}

/** The compacted change from `sign` to the present, or undefined when history does not reach back to it. */
export function deltaSince(
  directory: Directory,
  name: ViewName,
  sign: string,
  current: string,
  now: number,
): Delta | undefined {
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
