/** Replies at hand for questions that were asked before: the name need not be understood again while nothing changes. */
import type { RecordPool } from './pool.js'

/** Records that a question is answered with, as long as the registry is at this version. */
interface PreparedReply {
  readonly version: number
  readonly records: RecordPool
}

/** What a question costs beside its records. */
const QUESTION_COST = 8

export class PreparedReplies {
  private readonly max: number
  private readonly held = new Map<string, PreparedReply>()
  private cost = 0

  /** `max`: records that are kept, of all replies together. What is more begins anew with nothing. */
  constructor(max: number) {
    this.max = max
  }

  find(question: string, version: number): RecordPool | undefined {
    const found = this.held.get(question)
    return found?.version === version ? found.records : undefined
  }

  keep(question: string, reply: PreparedReply): void {
    const before = this.held.get(question)
    if (before !== undefined) this.cost -= costOf(before)
    if (this.cost + costOf(reply) > this.max) {
      this.held.clear()
      this.cost = 0
    }
    this.cost += costOf(reply)
    this.held.set(question, reply)
  }
}

function costOf({ records }: PreparedReply): number {
  return records.size + QUESTION_COST
}
