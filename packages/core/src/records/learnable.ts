/** What may be learnt from another replica. Pure. */
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
const NAMED: ReadonlySet<string> = new Set(['incarnation', 'content.rev', 'override.weight.incarnation'])

/** Why an entry is not taken in; undefined if it is. */
export function unlearnable(entry: Learnable): ErrorBody | undefined {
  const numbers =
    entry.kind === 'record' ? recordNumbers(entry.record) : { 'register.counter': entry.register.counter }
  for (const [field, value] of Object.entries(numbers)) {
    const [max, name] = NAMED.has(field) ? [Number.MAX_SAFE_INTEGER, '2^53 - 1'] : [COUNTED_MAX, '2^52']
    if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)) continue
    return errorBody('invalid_argument', `${field} must be an integer from 0 to ${name}, not ${value}`, field)
  }
  return undefined
}

function recordNumbers({
  incarnation,
  content,
  verdict,
  override,
}: StoredRecord): Record<string, number | undefined> {
  return {
    incarnation,
    'content.rev': content.rev,
    'verdict.claim': verdict.claim,
    'verdict.seq': verdict.seq,
    'override.counter': override?.counter,
    'override.weight.incarnation': override?.value?.weight?.incarnation,
  }
}
