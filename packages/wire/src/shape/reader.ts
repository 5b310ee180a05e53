/**
 * From a description to the reader of untrusted JSON: the value without its unknown fields, which are named as
 * warnings, or the first fault as one error with the path of the field.
 */
import { errorBody, RegistryError, type ErrorBody } from '../errors.js'
import { isJsonObject, predicateOf } from './predicate.js'
import type { AnyField, AnyShape, Shape } from './shape.js'

/** Most warnings of one answer; further unknown fields are not mentioned. */
const WARNINGS_MAX = 20

/** Longest field name that a warning or error repeats; the rest of a longer one says nothing more. */
const NAME_CHARS_MAX = 64

/** Unknown fields of one request. Each shape of path is listed once, whatever the number of items. */
export class Warnings {
  private readonly paths = new Set<string>()

  /** Notes an unknown field of `place`, such as `instances[].`. */
  add(place: string, name: string): void {
    if (this.paths.size < WARNINGS_MAX) this.paths.add(`${place}${clip(name)}`)
  }

  /** The paths as they travel, or undefined when there are none. */
  list(): readonly string[] | undefined {
    return this.paths.size === 0 ? undefined : [...this.paths]
  }
}

/** A value of the right shape, or the first fault with a field relative to the value. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorBody }

/** Reads values of one shape. */
export interface Reader<T> {
  /** `place` is where the value sits in the request, as warnings should say it: `` or `instances[].`. */
  read(value: unknown, place: string, warnings: Warnings): ReadResult<T>
}

/**
 * Compiles the reader of a shape. `silent` fields are known but not part of it: they are left out without a warning.
 * The value read becomes the caller's: what is right as it stands is handed on without a copy.
 */
export function readerOf<T>(shape: Shape<T>, silent: readonly string[] = []): Reader<T> {
  const take = takerOf(shape, silent)
  return {
    read(value, place, warnings) {
      const taken = take(value, '', place, warnings)
      return taken instanceof Fault ? { ok: false, error: taken.body } : { ok: true, value: taken as T }
    },
  }
}

/** The value of the right shape, or a RegistryError for the request as a whole. */
export function demand<T>(reader: Reader<T>, value: unknown, warnings: Warnings): T {
  if (!isJsonObject(value)) throw new RegistryError('malformed', 'the request is not a JSON object')
  const reading = reader.read(value, '', warnings)
  if (reading.ok) return reading.value
  throw toError(reading.error)
}

/** An error body as an exception. */
export function toError({ code, message, ...options }: ErrorBody): RegistryError {
  return new RegistryError(code, message, options)
}

/** What a value is not, and where. */
class Fault {
  readonly body: ErrorBody

  constructor(path: string, what: string) {
    const message = `${path === '' ? 'the value' : path} ${what}`
    this.body = errorBody('invalid_argument', message, path === '' ? undefined : path)
  }
}

/**
 * What the shape knows of a value: the value itself where that is all of it, else a copy; or a Fault. `path` leads from the value that is read to this one, as
 * `probe.tls`; `place` is the same as warnings say it, with the dot after it.
 */
type Take = (value: unknown, path: string, place: string, warnings: Warnings) => unknown

function takerOf(shape: AnyShape, silent: readonly string[] = []): Take {
  switch (shape.kind) {
    case 'object':
      return objectTaker(shape.fields, silent)
    case 'list':
      return listTaker(shape.item)
    case 'pairs':
      return takePairs
    case 'union':
      return unionTaker(shape)
    default: {
      const fits = predicateOf(shape, { open: false })
      return (value, path) => (fits(value) ? value : mustBe(shape, value, path))
    }
  }
}

function mustBe(shape: AnyShape, value: unknown, path: string): Fault {
  return new Fault(path, `must be ${expected(shape, value)}`)
}

function objectTaker(fields: Readonly<Record<string, AnyField>>, silent: readonly string[]): Take {
  const members = new Map(
    Object.entries(fields).map(([name, field]) => {
      const required = field.kind !== 'optional'
      const shape = required ? field : field.shape
      return [name, { required, fits: predicateOf(shape, { open: false }), take: takerOf(shape) }]
    }),
  )
  const required = Object.keys(fields).filter((name) => members.get(name)?.required)
  return (value, path, place, warnings) => {
    if (!isJsonObject(value)) return new Fault(path, 'must be an object')
    let missing = required.length
    let leftOut = false
    let replaced: Map<string, unknown> | undefined
    for (const name in value) {
      const member = members.get(name)
      if (member === undefined || isAbsent(value[name], member.required)) {
        leftOut = true
        continue
      }
      if (member.required) missing--
      if (member.fits(value[name])) continue
      const taken = member.take(value[name], below(path, name), `${place}${name}.`, warnings)
      if (taken instanceof Fault) return taken
      replaced ??= new Map()
      replaced.set(name, taken)
    }
    if (missing > 0) return new Fault(below(path, absentOf(required, value)), 'is missing')
    if (!leftOut && replaced === undefined) return value
    const copy: Record<string, unknown> = {}
    for (const name in value) {
      const member = members.get(name)
      if (member === undefined) {
        if (!silent.includes(name)) warnings.add(place, name)
      } else if (!isAbsent(value[name], member.required)) {
        copy[name] = replaced?.has(name) === true ? replaced.get(name) : value[name]
      }
    }
    return copy
  }
}

/** Many languages write a field that was not set as null. */
function isAbsent(value: unknown, required: boolean): boolean {
  return value === null && !required
}

function absentOf(names: readonly string[], value: object): string {
  return names.find((name) => !Object.hasOwn(value, name)) ?? ''
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function listTaker(item: AnyShape): Take {
  const take = takerOf(item)
  return (value, path, place, warnings) => {
    if (!Array.isArray(value)) return new Fault(path, 'must be an array')
    const copy: unknown[] = []
    for (const [index, each] of value.entries()) {
      const taken = take(each, `${path}[${index}]`, place, warnings)
      if (taken instanceof Fault) return taken
      copy.push(taken)
    }
    return copy
  }
}

function takePairs(value: unknown, path: string): unknown {
  if (!isJsonObject(value)) return new Fault(path, 'must be an object whose values are strings')
  for (const [name, text] of Object.entries(value)) {
    if (name === '__proto__') return new Fault(below(path, name), 'is not allowed as a key')
    if (typeof text !== 'string') return new Fault(below(path, clip(name)), 'must be a string')
  }
  return value
}

/** Takes the option that has the kind of the value. */
function unionTaker(shape: AnyShape & { readonly kind: 'union' }): Take {
  const options = shape.options.map((option) => ({
    suits: option.kind === 'object' ? isJsonObject : predicateOf(option, { open: false }),
    take: takerOf(option),
  }))
  return (value, path, place, warnings) =>
    options.find(({ suits }) => suits(value))?.take(value, path, place, warnings) ??
    mustBe(shape, value, path)
}

function expected(shape: AnyShape, value: unknown): string {
  switch (shape.kind) {
    case 'text':
      return 'a string'
    case 'sign':
      return 'a sign: 16 lower-case hex digits'
    case 'integer':
      return Number.isInteger(value) ? 'a safe integer' : 'an integer'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'a boolean'
    case 'literal':
      return String(shape.value)
    case 'choice':
      return `one of ${shape.choices.join(', ')}`
    case 'list':
      return 'an array'
    case 'pairs':
      return 'an object whose values are strings'
    case 'union':
      return shape.options.map((option) => expected(option, value)).join(' or ')
    case 'object':
    case 'anyObject':
      return 'an object'
    default:
      return 'a value'
  }
}

function clip(name: string): string {
  return name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name
}
