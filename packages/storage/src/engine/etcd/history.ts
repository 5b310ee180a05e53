/** What was seen of etcd's history: by it a member of another cluster is found, and one that was restored from a backup. */
import { EngineError } from '@rollcall/core'
import type { ResponseHeader } from './messages.js'

/** What an answer must not be behind: what was known when its question left. */
export interface Seen {
  readonly cluster: bigint | undefined
  readonly revision: number
  readonly term: number
  /** How many histories there were before. */
  readonly life: number
}

export interface EtcdHistory {
  /** What is known now; taken before a question, and given to `linearizable` with its answer. */
  readonly seen: Seen
  /** An answer that no member gives who is behind: one that is behind is of another history. Throws EngineError `epoch`. */
  linearizable(header: ResponseHeader | undefined, before: Seen): ResponseHeader
  /** An answer from what one member knows, which may be behind: only its cluster counts. Throws EngineError `epoch`. */
  local(header: ResponseHeader | undefined): ResponseHeader
  /** A charter was read with this answer: what it belongs to is the history from now on, and another one that was seen before is not. */
  join(header: ResponseHeader | undefined): void
}

const NOTHING: Seen = { cluster: undefined, revision: 0, term: 0, life: 0 }

export function createEtcdHistory(): EtcdHistory {
  let seen: Seen = NOTHING

  function local(header: ResponseHeader | undefined): ResponseHeader {
    if (header === undefined) throw new EngineError('unavailable', 'an answer without a header')
    if (seen.cluster !== undefined && header.clusterId !== seen.cluster) {
      const text = `etcd cluster ${hex(header.clusterId)} answers instead of ${hex(seen.cluster)}`
      throw new EngineError('epoch', text)
    }
    return header
  }

  return {
    get seen() {
      return seen
    },
    linearizable(given, before) {
      if (before.life !== seen.life) throw new EngineError('epoch', 'another etcd was joined meanwhile')
      const header = local(given)
      const { clusterId: cluster, revision, raftTerm: term } = header
      if (revision < before.revision || term < before.term) {
        const text = `etcd is at revision ${revision} in term ${term}, and was at ${before.revision} in ${before.term} before`
        throw new EngineError('epoch', `${text}: restored from a backup`)
      }
      seen = {
        ...seen,
        cluster,
        revision: Math.max(seen.revision, revision),
        term: Math.max(seen.term, term),
      }
      return header
    },
    local,
    join(header) {
      if (header === undefined) throw new EngineError('unavailable', 'an answer without a header')
      const { clusterId: cluster, revision, raftTerm: term } = header
      const same = cluster === seen.cluster && revision >= seen.revision && term >= seen.term
      seen = { cluster, revision, term, life: same ? seen.life : seen.life + 1 }
    },
  }
}

function hex(id: bigint): string {
  return id.toString(16)
}
