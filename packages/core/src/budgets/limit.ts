/** The refusal that a limit leads to. It is made in one place, so that every refusal is counted by its quota. */
import { type ErrorBody, errorBody, RegistryError } from '@rollcall/wire'
import type { Meter } from '../metrics.js'

/** A limit that was reached. */
export interface Limit {
  /** Its name in refusals and metrics: the setting that bounds it, if one does. */
  readonly quota: string
  readonly max: number
  /** What holds as much as it may. */
  readonly over: 'node' | 'peer' | 'subscriber' | 'connection'
  readonly message: string
  /** Path of the offending field, where the request alone asks for too much. */
  readonly field?: string
}

/** The refusal as a value. Counts it. */
export function limitRefusal(
  meter: Pick<Meter, 'count'>,
  { quota, max, over, message, field }: Limit,
): ErrorBody {
  countRefusal(meter, quota)
  return errorBody('limit_exceeded', message, field, { quota, max, over })
}

/** The refusal as an error to be thrown. Counts it. */
export function limitError(meter: Pick<Meter, 'count'>, limit: Limit): RegistryError {
  const refusal = limitRefusal(meter, limit)
  return new RegistryError(refusal.code, refusal.message, refusal)
}

/** Counts a refusal that is told otherwise than as an error, such as by the code that closes a stream. */
export function countRefusal(meter: Pick<Meter, 'count'>, quota: string): void {
  meter.count('rollcall_limit_refusals_total', 1, quota)
}
