/** From core codes to the errors of the native protocol: the body that every route answers with. */
import type { ErrorBody } from '@rollcall/wire'
import { statusOf, type ErrorAnswer } from '../http/errors.js'

/** An error as the only content of an answer. */
export function writeError(error: ErrorBody): ErrorAnswer {
  return {
    status: statusOf(error),
    type: 'application/json; charset=utf-8',
    body: JSON.stringify({ error }),
  }
}
