/** What happened to the keys of a store, revision by revision, as far back as is remembered. */
import type { EngineEvent } from '@rollcall/core'

/** Everything of one revision. */
interface Happening {
  readonly revision: number
  readonly events: readonly EngineEvent[]
}

/** Whole revisions that follow a position. */
export interface Happened {
  readonly events: readonly EngineEvent[]
  readonly revision: number
}

/** Bounded: past the bound the older half is forgotten, as by a compaction. */
export class Revisions {
  private readonly max: number
  private happenings: Happening[] = []
  /** What is older than this revision is forgotten. */
  compacted = 0

  constructor(max: number) {
    this.max = max
  }

  add(happening: Happening): void {
    this.happenings.push(happening)
    if (this.happenings.length <= this.max) return
    const first = this.happenings[this.happenings.length >> 1] as Happening
    this.compact(first.revision)
  }

  compact(revision: number): void {
    if (revision <= this.compacted) return
    this.compacted = revision
    this.happenings = this.happenings.filter((happening) => happening.revision >= revision)
  }

  /** Begins anew: nothing before this revision is known. */
  restart(revision: number): void {
    this.happenings = []
    this.compacted = revision
  }

  /** Some of what follows `position`, in whole revisions of about `eventsMax` events; undefined when part of it is forgotten. */
  after(position: number, eventsMax: number): Happened | undefined {
    if (position + 1 < this.compacted) return undefined
    const events: EngineEvent[] = []
    let revision = position
    for (let index = this.indexAfter(position); index < this.happenings.length; index += 1) {
      const happening = this.happenings[index] as Happening
      if (events.length > 0 && events.length + happening.events.length > eventsMax) break
      events.push(...happening.events)
      revision = happening.revision
    }
    return { events, revision }
  }

  private indexAfter(position: number): number {
    let low = 0
    let high = this.happenings.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.happenings[middle] as Happening).revision <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
