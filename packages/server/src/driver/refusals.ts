/** From errors as the core's values to errors as they are thrown. */
import { type ErrorBody, RegistryError } from '@rollcall/wire'

/** The value; an error is thrown. */
export function demand<T extends object>(value: T | ErrorBody): T {
  if (isError(value)) throw new RegistryError(value.code, value.message, value)
  return value
}

function isError(value: object): value is ErrorBody {
  return 'code' in value && 'message' in value
}
