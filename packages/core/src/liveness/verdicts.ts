/** Writes the verdicts of this node: the judging node's register has one writer, and this is where it writes. */
import type { Cause } from '../directory/change.js'
import type { Directory, Entry } from '../directory/directory.js'
import type { StoredRecord, VerdictValue } from '../records/record.js'
import type { VerdictReason } from './transitions.js'

export class Verdicts {
  private readonly directory: Directory
  private readonly nodeId: string
  private seq = 0

  constructor(directory: Directory, nodeId: string) {
    this.directory = directory
    this.nodeId = nodeId
  }

  /** Whether the verdict of a record is this node's. */
  areOwn({ verdict }: StoredRecord): boolean {
    return verdict.node === this.nodeId
  }

  /** Writes a verdict; it takes over (raises the claim) where another node, or boot, judged. */
  write(entry: Entry, value: VerdictValue, reason: VerdictReason, cause: Cause, now: number): void {
    this.put(entry, value, reason, cause, now)
  }

  /** Takes over from another node, whose verdict stands. */
  take(entry: Entry, cause: Cause, now: number): void {
    const { value, reason } = entry.record.verdict
    this.put(entry, value, reason, cause, now)
  }

  /** The reason may be of another release. */
  private put(entry: Entry, value: VerdictValue, reason: string, cause: Cause, now: number): void {
    const { record } = entry
    const { node, seq, claim } = record.verdict
    const own = node === this.nodeId
    // Node ids are unique per boot; should one be given twice, its verdicts must not lose against its own past.
    if (own) this.seq = Math.max(this.seq, seq)
    const verdict = { value, claim: own ? claim : claim + 1, node: this.nodeId, seq: ++this.seq, reason }
    this.directory.propose({ ...record, verdict }, cause, now)
  }
}
