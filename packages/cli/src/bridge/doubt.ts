/**
 * Whether it is believed that instances are gone which a source no longer lists. A source that lists nothing is never believed;
 * one that lists far less than before, or forgot while it was away, only after it has stood by it for a while.
 */

export interface Absence {
  /** Instances of the source that are mirrored. */
  readonly known: number
  /** Those of them that it does not list. */
  readonly absent: number
  /** All that it lists and that is its own. */
  readonly listed: number
  /** The source says itself that its list may lack something. */
  readonly stale: boolean
}

export type Belief = 'believed' | 'empty' | 'stale' | 'shrunk'

/** The doubt about one source. Times are monotonic milliseconds. */
export class Doubt {
  private readonly holdMs: number
  private since: number | undefined

  /** `holdMs`: how long a list has to stand that lacks more than half of what is known. */
  constructor(holdMs: number) {
    this.holdMs = holdMs
  }

  /** The source may have forgotten: what is absent from now on has to stay so. */
  raise(now: number): void {
    this.since = now
  }

  judge({ known, absent, listed, stale }: Absence, now: number): Belief {
    if (absent === 0) {
      this.since = undefined
      return 'believed'
    }
    if (listed === 0 || stale) {
      this.since = now
      return stale ? 'stale' : 'empty'
    }
    if (2 * absent > known) this.since ??= now
    if (this.since !== undefined && now - this.since < this.holdMs) return 'shrunk'
    this.since = undefined
    return 'believed'
  }
}
