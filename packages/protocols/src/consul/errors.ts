/** From core codes to what Consul's clients understand: a status, and the message alone as text. */
import { type ErrorBody, RegistryError } from '@rollcall/wire'
import { type ErrorAnswer, statusOf } from '../http/errors.js'

const TEXT_TYPE = 'text/plain; charset=utf-8'

/** A refusal with the status that Consul has for it. */
export function refusal(status: number, message: string): RegistryError {
  return new RegistryError(status === 404 ? 'unknown_instance' : 'invalid_argument', message, {
    details: { status },
  })
}

/** Clients look for some of these texts: they stand alone, without a code before them. */
export function writeError(error: ErrorBody): ErrorAnswer {
  const status = error.details?.['status']
  return {
    status: typeof status === 'number' ? status : statusOf(error),
    type: TEXT_TYPE,
    body: error.code === 'malformed' ? `Request decode failed: ${error.message}` : error.message,
  }
}

/** What the registry says against a registration, in the words that clients expect before it. */
export function registrationRefused(error: ErrorBody): RegistryError {
  return new RegistryError(error.code, `Invalid service: ${error.message}`, {
    details: { ...error.details, status: error.code === 'limit_exceeded' ? 429 : 400 },
  })
}
