/** One parameter of a route: what the document says of it, how its text is read, and how it is written. */
import { RegistryError } from '../../errors.js'
import type { Limits } from '../../limits.js'
import type { JsonSchema } from '../../shape/json-schema.js'
import type { Text } from './text.js'

/** A parameter in a path or a query; its value is a T. */
export interface Parameter<T = unknown, Required extends boolean = boolean> {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: Required
  /** May be given several times; the value is a list. */
  readonly repeated: boolean
  readonly description: string
  /** Schema of the value; `limits` are those of the node that reads it. */
  schema(limits: Limits): JsonSchema
  /** The value that the texts stand for; there is at least one. Throws `invalid_argument` with the name as field. */
  read(texts: readonly string[], limits: Limits): T
  /** The texts that are read as this value. */
  write(value: T): readonly string[]
}

/** A header that an operation heeds. What is no such value is passed over: it then counts as not sent. */
export interface HeaderParameter {
  readonly name: string
  readonly description: string
}

/** A parameter that is always there. */
export type Needed<T> = Parameter<T, true>

/** A parameter that may be left out. */
export type Optional<T> = Parameter<T, false>

/** A part of a path. */
export function inPath<T>(name: string, text: Text<T>, description: string): Needed<T> {
  return single('path', true, name, text, description)
}

/** A query parameter that may be left out. */
export function inQuery<T>(name: string, text: Text<T>, description: string): Optional<T> {
  return single('query', false, name, text, description)
}

/** A query parameter that must be there. */
export function needed<T>(name: string, text: Text<T>, description: string): Needed<T> {
  return single('query', true, name, text, description)
}

/** A query parameter that must be there and may be given several times. */
export function neededOften<T>(name: string, text: Text<T>, description: string): Needed<readonly T[]> {
  return {
    name,
    in: 'query',
    required: true,
    repeated: true,
    description,
    schema: (limits) => ({ type: 'array', items: text.schema(limits), minItems: 1 }),
    read: (texts, limits) => texts.map((each) => readText(name, text, each, limits)),
    write: (values) => values.map((value) => text.write(value)),
  }
}

function single<T, Required extends boolean>(
  place: 'path' | 'query',
  required: Required,
  name: string,
  text: Text<T>,
  description: string,
): Parameter<T, Required> {
  return {
    name,
    in: place,
    required,
    repeated: false,
    description,
    schema: (limits) => text.schema(limits),
    read([first = '', ...more], limits) {
      if (more.length > 0) throw refusal(name, 'may be given only once')
      return readText(name, text, first, limits)
    },
    write: (value) => [text.write(value)],
  }
}

function readText<T>(name: string, text: Text<T>, given: string, limits: Limits): T {
  if (given === '') throw refusal(name, 'is empty: give it a value or leave it out')
  const value = text.read(given, limits)
  if (value === undefined) throw refusal(name, `must be ${text.expected(limits)}`)
  return value
}

function refusal(field: string, message: string): RegistryError {
  return new RegistryError('invalid_argument', `${field} ${message}`, { field })
}
