/** From core codes to what Eureka's clients read. */
import type { ErrorBody } from '@rollcall/wire'
import { type ErrorAnswer, statusOf } from '../http/errors.js'

/**
 * A 404 has no body: clients of Java take any for an instance, and don't register again. The others have the words for people; no
 * client looks at them.
 */
export function writeError(error: ErrorBody): ErrorAnswer {
  const status = statusOf(error)
  if (status === 404) return { status, type: 'text/plain', body: '' }
  if (error.code === 'malformed')
    return {
      status,
      type: 'application/json',
      body: JSON.stringify({ error: 'cannot parse request body', message: error.message }),
    }
  return { status, type: 'text/plain; charset=utf-8', body: `${error.message}\n` }
}
