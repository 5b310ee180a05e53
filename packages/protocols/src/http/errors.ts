/** From core codes to what a caller is told. Nothing but a RegistryError tells more than `internal`. */
import type { Logger } from '@rollcall/core'
import { ERROR_CODES, isRegistryError, type ErrorBody } from '@rollcall/wire'

const INTERNAL: ErrorBody = {
  code: 'internal',
  message: 'the node failed to answer; its log has the details',
}

/** An error as an adapter puts it. */
export interface ErrorAnswer {
  readonly status: number
  /** Media type of the body. */
  readonly type: string
  readonly body: string
}

/** Puts an error into the words of an adapter. */
export type ErrorWriter = (error: ErrorBody) => ErrorAnswer

/** The error as it may be told. A fault of our own is logged here, once, and told without its text. */
export function toErrorBody(error: unknown, logger: Logger): ErrorBody {
  if (isRegistryError(error)) return error.toBody()
  logger.error({ error }, 'request failed')
  return INTERNAL
}

/** The HTTP status that goes with an error. */
export function statusOf(error: ErrorBody): number {
  return ERROR_CODES[error.code].httpStatus
}
