/** Which incarnations a client may name: what is taken has to be exceeded later, by clients and by the node itself. */
import { type ErrorBody, errorBody } from '@rollcall/wire'

/** How far ahead a number may be: clocks of clients are wrong, but not by more. */
export const YEAR_MS: number = 366 * 86_400_000

/** What a journal holds above this was made by no clock: it says nothing of the numbers of others. */
const OF_A_CLOCK_MAX = 2 ** 52

export class IncarnationBound {
  private readonly wallNow: () => number
  /** No honest number is below: the release, and what was loaded, are of the past. */
  private past: number

  /** `releasedAt`, `wallNow`: milliseconds since the epoch. */
  constructor(releasedAt: number, wallNow: () => number) {
    this.past = releasedAt
    this.wallNow = wallNow
  }

  /** The journal holds this one. */
  loaded(incarnation: number): void {
    if (incarnation <= OF_A_CLOCK_MAX) this.past = Math.max(this.past, incarnation)
  }

  /**
   * Why a client may not name a number, where `stored` is held (-1: nothing is): it is more than a year above all that
   * tells the time here. One above what is stored is never refused.
   */
  refusal(incarnation: number, stored = -1): ErrorBody | undefined {
    if (incarnation < 0)
      return errorBody('invalid_argument', 'incarnation must be a non-negative integer', 'incarnation')
    // Nearly every number is within a year of the release: the clock is asked for the others only.
    if (incarnation <= stored + 1 || incarnation <= this.past + YEAR_MS) return undefined
    const incarnationMax = Math.max(Math.max(this.wallNow(), this.past) + YEAR_MS, stored + 1)
    if (incarnation <= incarnationMax) return undefined
    return errorBody(
      'invalid_argument',
      `incarnation ${incarnation} is more than a year ahead: numbers count milliseconds since 1970, at most ${incarnationMax} here and now; correct the clock that it comes from, or leave it out`,
      'incarnation',
      { incarnationMax },
    )
  }
}

/** The number that comes next; undefined where none is exact any more. */
export function above(incarnation: number): number | undefined {
  return incarnation < Number.MAX_SAFE_INTEGER ? incarnation + 1 : undefined
}

/** Nothing can be registered in place of this incarnation while it is remembered. */
export function unexceedable(id: string, incarnation: number): ErrorBody {
  return errorBody(
    'superseded',
    `incarnation ${incarnation} of ${id} cannot be exceeded; register under another id`,
    'id',
    { incarnation },
  )
}
