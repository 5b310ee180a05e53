/** From core codes to what Prometheus understands: any status but 200, upon which it keeps the targets it has. */
import type { ErrorBody } from '@rollcall/wire'
import { statusOf, type ErrorAnswer } from '../http/errors.js'

/** The error as one line, for the person who asks with curl: Prometheus logs the status alone. */
export function writeError(error: ErrorBody): ErrorAnswer {
  return {
    status: statusOf(error),
    type: 'text/plain; charset=utf-8',
    body: `${error.code}: ${error.message}\n`,
  }
}
