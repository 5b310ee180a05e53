/** After which time a second attempt begins: milliseconds, or the time that this share of the recent calls took. */
export type HedgeDelay = number | 'p50' | 'p90' | 'p95' | 'p99'

const SHARES: Readonly<Record<Exclude<HedgeDelay, number>, number>> = {
  p50: 0.5,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
}

/** Whether something given from outside is a delay. */
export function isHedgeDelay(value: unknown): value is HedgeDelay {
  if (typeof value === 'number') return value >= 0 && value < Infinity
  return typeof value === 'string' && Object.hasOwn(SHARES, value)
}

/** Calls remembered: enough for a p99 that is more than the slowest of them. */
const SAMPLES_MAX = 512
/** With fewer it is not known what is slow. */
const SAMPLES_MIN = 32
/** Samples after which the order is found anew. */
const SORT_EVERY = 32

/** How long the recent calls to one service took. */
export class Latencies {
  private readonly samples = new Float64Array(SAMPLES_MAX)
  private sorted = new Float64Array(0)
  private count = 0
  private sortedAt = -SORT_EVERY

  /** A call was answered. */
  add(latencyMs: number): void {
    this.samples[this.count % SAMPLES_MAX] = latencyMs
    this.count += 1
  }

  /** The delay in milliseconds; undefined for a share while too few calls are known. */
  delayMs(delay: HedgeDelay): number | undefined {
    if (typeof delay === 'number') return delay
    if (this.count < SAMPLES_MIN) return undefined
    if (this.count - this.sortedAt >= SORT_EVERY) {
      this.sorted = this.samples.slice(0, Math.min(this.count, SAMPLES_MAX)).sort()
      this.sortedAt = this.count
    }
    return this.sorted[Math.floor(SHARES[delay] * this.sorted.length)]
  }
}
