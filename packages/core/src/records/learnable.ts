/** What may be learnt from another replica, or from the journal. Pure. */
import { type ErrorBody, errorBody } from '@rollcall/wire'
import type { Declaration } from './declaration.js'
import type { StoredRecord } from './record.js'

/** Records and declarations. That another replica forgot something says nothing here: absence deletes nothing. */
export type Learnable = { readonly kind: 'record'; readonly record: StoredRecord } | Declaration

/** Something that was not learnt, and why. */
export interface Unlearnt {
  readonly entry: Learnable
  readonly error: ErrorBody
}

/**
 * Numbers that nodes count by themselves have to be exceeded later, by one at a time: beyond this they would stop growing
 * long before they stop being exact.
 */
const COUNTED_MAX = 2 ** 52

/** Numbers that callers name: what one replica admitted, every other one takes. */
const NAMED_MAX = Number.MAX_SAFE_INTEGER

/** Why an entry is not taken in; undefined if it is. */
export function unlearnable(entry: Learnable): ErrorBody | undefined {
  if (entry.kind !== 'record') return fault('register.counter', entry.register.counter, COUNTED_MAX)
  const { incarnation, content, verdict, override } = entry.record
  return (
    fault('incarnation', incarnation, NAMED_MAX) ??
    fault('content.rev', content.rev, NAMED_MAX) ??
    fault('verdict.claim', verdict.claim, COUNTED_MAX) ??
    fault('verdict.seq', verdict.seq, COUNTED_MAX) ??
    fault('override.counter', override?.counter, COUNTED_MAX) ??
    fault('override.weight.incarnation', override?.value?.weight?.incarnation, NAMED_MAX)
  )
}

function fault(field: string, value: number | undefined, max: number): ErrorBody | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)) return undefined
  const name = max === COUNTED_MAX ? '2^52' : '2^53 - 1'
  return errorBody('invalid_argument', `${field} must be an integer from 0 to ${name}, not ${value}`, field)
}
