/** Who and why, as callers say of any command that takes it: bounded, since it is kept and shown. */
import { type ErrorBody, errorBody, OPERATOR_LIMITS, type Signature } from '@rollcall/wire'

/** What is wrong with it; undefined when it is fine. */
export function checkSignature({ by, why }: Signature): ErrorBody | undefined {
  const { byCharsMax, whyCharsMax } = OPERATOR_LIMITS
  if (by !== undefined && by.length > byCharsMax) return tooLong('by', byCharsMax)
  if (why !== undefined && why.length > whyCharsMax) return tooLong('why', whyCharsMax)
  return undefined
}

function tooLong(field: string, charsMax: number): ErrorBody {
  return errorBody('invalid_argument', `${field} must have at most ${charsMax} characters`, field)
}
