/** From errors as the core's values to errors as they are thrown. */
import { type Durability, type ErrorBody, RegistryError } from '@rollcall/wire'

/** Throws the error, if there is one. */
export function refuse(error: ErrorBody | undefined): void {
  if (error !== undefined) throw new RegistryError(error.code, error.message, error)
}

/** The value; an error is thrown. */
export function demand<T extends object>(value: T | ErrorBody): T {
  if (isError(value)) throw new RegistryError(value.code, value.message, value)
  return value
}

const DURABILITY_RANK: Readonly<Record<Durability, number>> = { memory: 0, disk: 1, replicated: 2 }

/** Throws `not_durable` where a write is less durable than was asked for. */
export function refuseBelow(durability: Durability, required: Durability | undefined): void {
  if (required === undefined || DURABILITY_RANK[durability] >= DURABILITY_RANK[required]) return
  throw new RegistryError('not_durable', `accepted with durability ${durability}, not ${required}`, {
    details: { durability },
  })
}

function isError(value: object): value is ErrorBody {
  return 'code' in value && 'message' in value
}
