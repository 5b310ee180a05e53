/** From core codes to wire errors. Nothing but a RegistryError tells a caller more than `internal`. */
import type { Logger } from '@rollcall/core'
import { ERROR_CODES, isRegistryError, type ErrorBody } from '@rollcall/wire'

const INTERNAL: ErrorBody = {
  code: 'internal',
  message: 'the node failed to answer; its log has the details',
}

/** The error as it travels. A fault of our own is logged here, once, and told without its text. */
export function toErrorBody(error: unknown, logger: Logger): ErrorBody {
  if (isRegistryError(error)) return error.toBody()
  logger.error({ error }, 'request failed')
  return INTERNAL
}

/** HTTP status of an answer that holds only this error. */
export function statusOf(error: ErrorBody): number {
  return ERROR_CODES[error.code].httpStatus
}
