/** The lists of several clusters as one. */
import type { Instance, State } from '@rollcall/wire'
import type { ClusterList } from '../cluster/events.js'
import { instanceKey } from '../machine/keys.js'

/** What one cluster says of one list. */
export interface Part {
  readonly cluster: string
  readonly list: ClusterList
  /** Incarnations by identity that said goodbye to another cluster since a stream last vouched for this list. */
  readonly left: ReadonlyMap<string, number>
}

/** Several lists as one. */
export interface Merged {
  /** By identity, each as the cluster with the last word on it has it. */
  readonly instances: ReadonlyMap<string, Instance>
  /** Those that vanished without a word from the cluster that has the last word on them, or said goodbye elsewhere. */
  readonly kept: readonly Instance[]
  readonly statics: readonly Instance[]
  /** Whether some identity is listed more than once: then it matters which list is the fresher. */
  readonly overlap: boolean
}

interface Claim {
  readonly part: Part
  readonly instance: Instance
}

/** Words first, the more cautious the stronger; then silence. */
const WEIGHTS: Readonly<Record<State, number>> = {
  disabled: 6,
  draining: 5,
  up: 4,
  starting: 3,
  suspect: 2,
  down: 1,
}

/**
 * Merges what clusters say of one view, by group and id. It does not matter in which order they are given, and
 * nothing that one of them lists is lost because another does not list it.
 *
 * Where several list the same identity, the first of these that differs decides: the fresher answer (a stream,
 * then what was confirmed last by a registry, snapshots included, then static lists); a word over silence
 * (`suspect` and `down` say that an instance was not heard, and one that is heard elsewhere lives); the higher
 * incarnation; the more cautious word (`disabled`, `draining`, `up`, `starting`, and of the silent `suspect`
 * before `down`); the larger digest; the name of the cluster.
 *
 * Not listing is no opinion, but for a deregistration: what is listed only by a cluster out of reach, and said
 * goodbye to another since, is a last resort like those that vanished.
 */
export function merge(parts: readonly Part[]): Merged {
  const ordered = [...parts].sort((a, b) => (a.cluster < b.cluster ? -1 : 1))
  const claims = new Map<string, Claim>()
  let overlap = false
  for (const part of ordered) {
    for (const instance of part.list.instances) {
      const key = instanceKey(instance)
      if (hasLeft(part, key, instance)) continue
      const other = claims.get(key)
      if (other !== undefined) overlap = true
      if (other === undefined || beats({ part, instance }, other)) claims.set(key, { part, instance })
    }
  }
  const instances = new Map<string, Instance>()
  for (const [key, { instance }] of claims) instances.set(key, instance)
  return {
    instances,
    kept: keptOf(ordered, claims),
    statics: onceEach(ordered.map((part) => part.list.statics)),
    overlap,
  }
}

/** How fresh an answer is: infinite for a stream, else the moment of the last confirmation. */
export function freshness({ live, source, confirmedAt }: ClusterList): number {
  if (live) return Number.POSITIVE_INFINITY
  if (source === 'none' || source === 'static') return Number.NEGATIVE_INFINITY
  return confirmedAt ?? -Number.MAX_VALUE
}

/** Whether the first of two claims on one identity has the last word. */
export function beats(a: Claim, b: Claim): boolean {
  const [fresh, other] = [freshness(a.part.list), freshness(b.part.list)]
  if (fresh !== other) return fresh > other
  if (isSilent(a.instance) !== isSilent(b.instance)) return isSilent(b.instance)
  const newer = a.instance.incarnation - b.instance.incarnation
  if (newer !== 0) return newer > 0
  const word = WEIGHTS[a.instance.state] - WEIGHTS[b.instance.state]
  if (word !== 0) return word > 0
  if (a.instance.digest !== b.instance.digest) return a.instance.digest > b.instance.digest
  return a.part.cluster < b.part.cluster
}

/** Whether this incarnation, or a later one, said goodbye. */
function hasLeft({ left }: Part, key: string, instance: Instance): boolean {
  return left.size > 0 && (left.get(key) ?? -1) >= instance.incarnation
}

/** The missing of all clusters, without those of which another cluster knows better. */
function keptOf(parts: readonly Part[], claims: ReadonlyMap<string, Claim>): readonly Instance[] {
  const lists = parts.map((part) => {
    const { kept, instances } = part.list
    const gone =
      part.left.size === 0 ? [] : instances.filter((each) => hasLeft(part, instanceKey(each), each))
    return [...kept, ...gone].filter((each) => (claims.get(instanceKey(each))?.part ?? part) === part)
  })
  return onceEach(lists)
}

function onceEach(lists: readonly (readonly Instance[])[]): readonly Instance[] {
  const filled = lists.filter((list) => list.length > 0)
  if (filled.length <= 1) return filled[0] ?? []
  const byKey = new Map<string, Instance>()
  for (const instance of filled.flat()) {
    const key = instanceKey(instance)
    const other = byKey.get(key)
    if (other === undefined || instance.incarnation > other.incarnation) byKey.set(key, instance)
  }
  return [...byKey.values()]
}

function isSilent({ state }: Instance): boolean {
  return state === 'suspect' || state === 'down'
}
