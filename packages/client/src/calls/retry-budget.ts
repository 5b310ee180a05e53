/** How many attempts are allowed beyond the first of each call. */
export interface RetryBudgetOptions {
  /** Each call allows this much of a retry: with 0.2 at most every fifth call is repeated. */
  readonly share: number
  /** Retries that are allowed in any case. */
  readonly perSecond: number
  /** Most that time alone saves up. */
  readonly idleMax: number
  /** Most that is ever saved up. */
  readonly max: number
}

/**
 * Retries of calls to one service: a fifth of the calls and 10 a second. One dead instance of five can be
 * bypassed without a failed call; when all refuse, the load on what is left of them does not multiply.
 */
export const RETRIES: RetryBudgetOptions = { share: 0.2, perSecond: 10, idleMax: 100, max: 1_000 }

/** Attempts on a service all of whose instances failed a moment ago: enough to notice at once that one is back. */
export const LAST_RESORT: RetryBudgetOptions = { share: 0, perSecond: 10, idleMax: 10, max: 10 }

/** A bucket of tokens that fills by time and by calls. It begins with all that time alone would save up. */
export class RetryBudget {
  private readonly options: RetryBudgetOptions
  private tokens: number
  private at: number

  constructor(now: number, options: RetryBudgetOptions) {
    this.options = options
    this.tokens = options.idleMax
    this.at = now
  }

  /** A call began. */
  called(now: number): void {
    this.fill(now)
    this.tokens = Math.max(this.tokens, Math.min(this.options.max, this.tokens + this.options.share))
  }

  /** Takes an attempt, if there is one. */
  take(now: number): boolean {
    this.fill(now)
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }

  private fill(now: number): void {
    const { perSecond, idleMax } = this.options
    const filled = Math.min(idleMax, this.tokens + ((now - this.at) * perSecond) / 1_000)
    this.tokens = Math.max(this.tokens, filled)
    this.at = now
  }
}
