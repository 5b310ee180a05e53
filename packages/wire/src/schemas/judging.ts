/**
 * Judging of untrusted JSON: types by schema, unknown fields as bounded warnings, the first fault of a value
 * as one error with the path of the field.
 */
import { z } from 'zod'
import { errorBody, RegistryError, type ErrorBody } from '../errors.js'
import { createFits } from './fits.js'

/** Most warnings of one answer; further unknown fields are not mentioned. */
const WARNINGS_MAX = 20

/** Longest field name that a warning or error repeats; the rest of a longer one says nothing more. */
const NAME_CHARS_MAX = 64

/** Unknown fields of one request. Each shape of path is listed once, whatever the number of items. */
export class Warnings {
  private readonly paths = new Set<string>()

  /** Whether nothing more will be listed. */
  get full(): boolean {
    return this.paths.size >= WARNINGS_MAX
  }

  /** Notes an unknown field of `place`, such as `instances[].`. */
  add(place: string, name: string): void {
    if (!this.full) this.paths.add(`${place}${clip(name)}`)
  }

  /** The paths as they travel, or undefined when there are none. */
  list(): readonly string[] | undefined {
    return this.paths.size === 0 ? undefined : [...this.paths]
  }
}

/** A value of the right shape, or the first fault with a field relative to the value. */
export type Judged<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorBody }

/** Checks values of one shape. */
export interface Judge<T> {
  readonly schema: z.ZodType<T>
  /** `place` is where the value sits in the request, as warnings should say it: `` or `instances[].`. */
  judge(value: unknown, place: string, warnings: Warnings): Judged<T>
}

/**
 * Builds the check of an object shape. `extra` fields are known but not part of the schema. The value judged
 * becomes the caller's: what is right as it stands is handed on without a copy.
 */
export function createJudge<T>(schema: z.ZodType<T>, extra: readonly string[] = []): Judge<T> {
  const fits = createFits(schema)
  const pickKnown = pickKnownOf(schema, extra)
  const findUnknown = unknownFieldsOf(schema, extra)
  return {
    schema,
    judge(value, place, warnings) {
      const fit = fits(value)
      if (fit === 'exact') return { ok: true, value: value as T }
      if (fit === 'more') return { ok: true, value: pickKnown(value as Fields, place, warnings) as T }
      const result = schema.safeParse(value)
      if (!result.success) return { ok: false, error: faultOf(result.error, value) }
      const poisoned = findUnknown?.(value as object, result.data as object, place, warnings)
      return poisoned === undefined ? { ok: true, value: result.data } : { ok: false, error: poisoned }
    },
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Compiles the copy of the known fields; the others are noted. */
function pickKnownOf(
  schema: z.ZodType,
  extra: readonly string[],
): (value: Fields, place: string, warnings: Warnings) => Fields {
  const kept = new Set(schema instanceof z.ZodObject ? Object.keys(schema.shape) : [])
  const silent = new Set(extra)
  return (value, place, warnings) => {
    const picked: Record<string, unknown> = {}
    for (const name in value) {
      if (kept.has(name)) picked[name] = value[name]
      else if (!silent.has(name)) warnings.add(place, name)
    }
    return picked
  }
}

/** `read` is what the schema made of `value`: the known fields. Equal numbers of keys mean that all are known. */
type FindUnknown = (value: object, read: object, place: string, warnings: Warnings) => ErrorBody | undefined

/** Compiles the walk over known object fields; only objects are walked, there are none in arrays but items. */
function unknownFieldsOf(schema: z.ZodType, extra: readonly string[]): FindUnknown | undefined {
  const inner =
    schema instanceof z.ZodExactOptional || schema instanceof z.ZodOptional ? schema.unwrap() : schema
  if (inner instanceof z.ZodRecord) return refusePrototypeKey
  if (inner instanceof z.ZodUnion) return unknownFieldsOfUnion(inner)
  if (!(inner instanceof z.ZodObject)) return undefined
  const known = new Set([...Object.keys(inner.shape), ...extra])
  const nested: [string, FindUnknown][] = []
  for (const [name, field] of Object.entries(inner.shape)) {
    const find = unknownFieldsOf(field as z.ZodType, [])
    if (find !== undefined) nested.push([name, find])
  }
  return (value, read, place, warnings) => {
    if (!warnings.full && Object.keys(value).length !== Object.keys(read).length) {
      for (const name in value) if (!known.has(name)) warnings.add(place, name)
    }
    for (const [name, find] of nested) {
      const child = (read as Record<string, object | undefined>)[name]
      if (child === undefined) continue
      const fault = find((value as Record<string, object>)[name] ?? {}, child, `${place}${name}.`, warnings)
      if (fault !== undefined)
        return { ...fault, field: `${name}${fault.field === undefined ? '' : `.${fault.field}`}` }
    }
    return undefined
  }
}

/** Of a union one branch at most is an object; other values have no fields. */
function unknownFieldsOfUnion(union: z.ZodUnion): FindUnknown | undefined {
  const branch = union.options.find((option) => option instanceof z.ZodObject)
  const find = branch === undefined ? undefined : unknownFieldsOf(branch, [])
  if (find === undefined) return undefined
  return (value, read, place, warnings) =>
    isJsonObject(value) ? find(value, read, place, warnings) : undefined
}

/**
 * JSON.parse makes `__proto__` an own key, and the first copy by assignment would turn it into a prototype
 * or lose it. No honest client sends it, so it is refused rather than carried through every replica.
 */
function refusePrototypeKey(value: object): ErrorBody | undefined {
  if (!Object.hasOwn(value, '__proto__')) return undefined
  return errorBody('invalid_argument', '__proto__ is not allowed as a key', '__proto__')
}

function faultOf(error: z.ZodError, value: unknown): ErrorBody {
  let issue: z.core.$ZodIssue | undefined = error.issues[0]
  if (issue === undefined) return errorBody('invalid_argument', 'the value has the wrong shape')
  const path = [...issue.path]
  // A union reports all its branches: the one that failed within the value is the one that was meant.
  while (issue.code === 'invalid_union') {
    const inner: z.core.$ZodIssue | undefined = issue.errors
      .map(([first]) => first)
      .find((first) => first?.path.length)
    if (inner === undefined) break
    issue = inner
    path.push(...inner.path)
  }
  const field = pathOf(path)
  const name = field === '' ? 'the value' : field
  const message =
    valueAt(value, path) === undefined ? `${name} is missing` : `${name} must be ${expectation(issue)}`
  return errorBody('invalid_argument', message, field === '' ? undefined : field)
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return EXPECTED[issue.expected] ?? `of type ${issue.expected}`
  if (issue.code === 'too_big' || issue.code === 'too_small') return 'a safe integer'
  if (issue.code === 'invalid_union') {
    return issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)])).join(' or ')
  }
  return 'of another shape'
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  record: 'an object whose values are strings',
}

function pathOf(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += `${text === '' ? '' : '.'}${clip(String(part))}`
  }
  return text
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = value
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Record<PropertyKey, unknown>)[part]
  }
  return at
}

function clip(name: string): string {
  return name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name
}

/** Whether the value is a JSON object. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of the right shape, or a RegistryError for the request as a whole. */
export function demand<T>(judge: Judge<T>, value: unknown, warnings: Warnings): T {
  if (!isJsonObject(value)) throw new RegistryError('malformed', 'the request is not a JSON object')
  const judged = judge.judge(value, '', warnings)
  if (judged.ok) return judged.value
  throw toError(judged.error)
}

/** An error body as an exception. */
export function toError(error: ErrorBody): RegistryError {
  return new RegistryError(error.code, error.message, {
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(error.details === undefined ? {} : { details: error.details }),
  })
}
