/** How well the calls into a zone go. */
import type { AttemptReport } from './balancer.js'

/** What was seen has lost two thirds of its weight after this. */
const RECENT_MS = 10_000
/** The usual latency follows the recent one this slowly: a trouble is not usual before it lasted minutes. */
const USUAL_MS = 300_000
/** Fewer calls say nothing. */
const CALLS_MIN = 10
/** Latency up to this multiple of the usual is no sign of overload. */
const SLOW_FACTOR = 2
/** A zone keeps this much of its calls whatever was seen, so that it is seen when it is well again. */
const FITNESS_MIN = 0.1

/** How well the calls to one zone went lately, as this client saw them. */
export class ZoneHealth {
  private calls = 0
  private failures = 0
  private answers = 0
  private tookMs = 0
  private usualMs: number | undefined
  private at = 0

  /** A call ended. */
  ended(now: number, { outcome, latencyMs }: AttemptReport): void {
    if (outcome === undefined) return
    const elapsed = this.fade(now)
    this.calls += 1
    if (outcome !== 'success') this.failures += 1
    else if (latencyMs !== undefined) {
      this.answers += 1
      this.tookMs += latencyMs
      const recent = this.tookMs / this.answers
      if (this.answers < CALLS_MIN) return
      this.usualMs ??= recent
      // Better is usual at once, worse only in time.
      const follow = 1 - Math.exp(-elapsed / USUAL_MS)
      this.usualMs = Math.min(recent, this.usualMs + (recent - this.usualMs) * follow)
    }
  }

  /** Mean of the recent latencies; undefined while there are too few. */
  latencyMs(now: number): number | undefined {
    this.fade(now)
    return this.answers < CALLS_MIN ? undefined : this.tookMs / this.answers
  }

  /** Share of the recent calls that did not fail; never 0. */
  successShare(now: number): number {
    this.fade(now)
    return this.calls < CALLS_MIN ? 1 : Math.max(FITNESS_MIN, 1 - this.failures / this.calls)
  }

  /**
   * What is left of the zone's capacity, never 0: less by its failures, and less the longer it takes beyond twice
   * of what others take at present, or else beyond twice of what it took before.
   */
  fitness(now: number, elsewhereMs: number | undefined): number {
    const recent = this.latencyMs(now)
    const usual = elsewhereMs ?? this.usualMs
    const slow = recent === undefined || usual === undefined ? 1 : (SLOW_FACTOR * usual) / recent
    return Math.max(FITNESS_MIN, this.successShare(now) * Math.min(1, slow))
  }

  private fade(now: number): number {
    const elapsed = now - this.at
    if (elapsed <= 0) return 0
    const kept = Math.exp(-elapsed / RECENT_MS)
    this.calls *= kept
    this.failures *= kept
    this.answers *= kept
    this.tookMs *= kept
    this.at = now
    return elapsed
  }
}
