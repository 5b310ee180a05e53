/** What a node that an engine joins with others has to do with it. */
import type { Follower } from '../directory/change.js'
import type { LivenessOptions } from '../liveness/options.js'
import type { StoredRecord } from '../records/record.js'
import { EnginePublications } from './publications.js'
import { Replica, type ReplicaDeps } from './replica.js'

export interface Joined {
  readonly replica: Replica
  readonly publications: EnginePublications
}

/** Joins a node: from now on what is hidden is remembered as long as the engine holds it. */
export function join(
  deps: ReplicaDeps,
  { retentionMs, strayMs }: Pick<LivenessOptions, 'retentionMs' | 'strayMs'>,
): Joined {
  const { directory } = deps
  directory.joined = true
  const replica = new Replica(deps)
  const publications = new EnginePublications(directory, replica, { retentionMs, strayMs })
  return { replica, publications }
}

/** Follows which instances this node takes over from another one. */
export function takeovers(nodeId: string, tookOver: (record: StoredRecord) => void = () => {}): Follower {
  return {
    changed({ entry: { record }, cause, previous }) {
      if (previous === undefined || cause.kind === 'learnt' || record.verdict.node !== nodeId) return
      if (previous.verdict.node !== nodeId) tookOver(record)
    },
  }
}
