/** Probes that wait for their time or for room. Pure. */
import type { ProbePurpose } from '@rollcall/core'

/** Something that waits for its turn. */
export interface Waiting {
  readonly purpose: ProbePurpose
  /** Monotonic time before which it must not start. */
  readonly dueMs: number
}

/** A bounded queue of probes: due ones first, evidence before baselines. */
export interface ProbeQueue<T extends Waiting> {
  /**
   * Adds an item and returns what had to go for it: nothing while there is room, else a baseline that waits,
   * else (nothing but evidence waits, or the item is itself a baseline) the item.
   */
  add(item: T): T | undefined
  /** Takes the next item that is due, or undefined. Equal purposes leave in the order of their due times. */
  take(nowMs: number): T | undefined
  /** When the next item becomes due; undefined when nothing waits. */
  nextDueMs(): number | undefined
  clear(): void
  readonly size: number
}

/** A queue of at most `sizeMax` items. Adding and taking cost O(log n), dropping O(1). */
export function createProbeQueue<T extends Waiting>(sizeMax: number): ProbeQueue<T> {
  const evidence: T[] = []
  const baselines: T[] = []

  return {
    get size() {
      return evidence.length + baselines.length
    },
    add(item) {
      if (evidence.length + baselines.length < sizeMax) {
        push(item.purpose === 'evidence' ? evidence : baselines, item)
        return undefined
      }
      // The last leaf of a heap can go without disturbing it, and its due time is among the later ones.
      const victim = item.purpose === 'evidence' ? baselines.pop() : undefined
      if (victim === undefined) return item
      push(evidence, item)
      return victim
    },
    take(nowMs) {
      for (const heap of [evidence, baselines]) {
        const first = heap[0]
        if (first !== undefined && first.dueMs <= nowMs) return pop(heap)
      }
      return undefined
    },
    nextDueMs() {
      const due = Math.min(evidence[0]?.dueMs ?? Infinity, baselines[0]?.dueMs ?? Infinity)
      return due === Infinity ? undefined : due
    },
    clear() {
      evidence.length = 0
      baselines.length = 0
    },
  }
}

/** Adds to a binary heap ordered by due time. */
function push<T extends Waiting>(heap: T[], item: T): void {
  let at = heap.length
  heap.push(item)
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || parent.dueMs <= item.dueMs) break
    heap[at] = parent
    at = above
  }
  heap[at] = item
}

/** Takes the item that is due first. */
function pop<T extends Waiting>(heap: T[]): T | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    const left = heap[2 * at + 1]
    if (left === undefined) break
    const right = heap[2 * at + 2]
    const goRight = right !== undefined && right.dueMs < left.dueMs
    const child = goRight ? right : left
    if (child.dueMs >= last.dueMs) break
    heap[at] = child
    at = 2 * at + (goRight ? 2 : 1)
  }
  heap[at] = last
  return first
}
