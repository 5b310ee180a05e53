/** The balancer `weighted`: in proportion to the weights, evenly spread. */
import type { Instance } from '@rollcall/wire'
import type { Balancer } from './balancer.js'
import { createRoundRobin } from './round-robin.js'
import type { Random } from '../machine/ports.js'

/**
 * Weighted: over every run of (sum of weights) picks each candidate is chosen exactly its weight's times,
 * evenly spaced. Weights are divided by their greatest common divisor first; weight 0 is chosen only when
 * all weights are 0. Equal weights are round robin.
 *
 * Candidate i with weight w and a random phase u in [0, 1) is due at the virtual times (u + k) / w; picks go
 * in order of due time. Each unit of virtual time holds exactly w of them, whatever the phases, and fresh
 * phases at each update keep frequent updates from favouring any of them. A binary heap makes a pick O(log n).
 */
export function createWeighted(random: Random): Balancer {
  const rotation = createRoundRobin(random)
  const schedule = new Schedule(random)
  let active: Balancer = rotation
  return {
    update(candidates) {
      const weighted = candidates.filter((candidate) => candidate.weight > 0)
      const list = weighted.length === 0 ? candidates : weighted
      active = list.every((candidate) => candidate.weight === list[0]?.weight) ? rotation : schedule
      active.update(list)
    },
    pick: () => active.pick(),
  }
}

class Schedule implements Balancer {
  private readonly random: Random
  private list: readonly Instance[] = []
  private weights = new Float64Array(0)
  private phases = new Float64Array(0)
  private rounds = new Float64Array(0)
  private due = new Float64Array(0)
  private heap = new Int32Array(0)
  private cycle = 0
  private picks = 0

  constructor(random: Random) {
    this.random = random
  }

  update(candidates: readonly Instance[]): void {
    const n = candidates.length
    const divisor = candidates.reduce((sum, candidate) => gcd(sum, candidate.weight), 0)
    this.list = candidates
    this.weights = Float64Array.from(candidates, (candidate) => candidate.weight / divisor)
    // Below 1 by a margin, so that rounding cannot push the last turn of a cycle into the next one.
    this.phases = Float64Array.from(candidates, () => this.random() * 0.999)
    this.rounds = new Float64Array(n)
    this.due = new Float64Array(n)
    this.heap = new Int32Array(n)
    this.cycle = this.weights.reduce((sum, weight) => sum + weight, 0)
    this.restart()
  }

  pick(): Instance | undefined {
    const top = this.heap[0]
    if (top === undefined) return undefined
    const round = this.rounds[top]! + 1
    this.rounds[top] = round
    this.due[top] = (this.phases[top]! + round) / this.weights[top]!
    this.picks += 1
    if (this.picks === this.cycle) this.restart()
    else this.sink(0)
    return this.list[top]
  }

  /** Begins a cycle anew: exactly where the last one ended, without the rounding that long sums collect. */
  private restart(): void {
    this.picks = 0
    for (let index = 0; index < this.heap.length; index += 1) {
      this.rounds[index] = 0
      this.due[index] = this.phases[index]! / this.weights[index]!
      this.heap[index] = index
    }
    for (let index = (this.heap.length >> 1) - 1; index >= 0; index -= 1) this.sink(index)
  }

  private sink(start: number): void {
    const { heap, due } = this
    const n = heap.length
    const item = heap[start]!
    const key = due[item]!
    let hole = start
    for (;;) {
      let child = 2 * hole + 1
      if (child >= n) break
      if (child + 1 < n && due[heap[child + 1]!]! < due[heap[child]!]!) child += 1
      const candidate = heap[child]!
      if (due[candidate]! >= key) break
      heap[hole] = candidate
      hole = child
    }
    heap[hole] = item
  }
}

function gcd(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return x
}
