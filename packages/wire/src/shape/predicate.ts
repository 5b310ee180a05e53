/** From a description to a compiled yes or no. */
import { LIMITS } from '../limits.js'
import { SIGN_PATTERN } from '../sign.js'
import { boundOf, type AnyField, type AnyShape } from './shape.js'

/** Whether a value is what a description says. */
export type Predicate = (value: unknown) => boolean

/** What is accepted beside the types of the description. */
export interface Strictness {
  /**
   * Of a peer that may be newer: fields that the description does not have and words that it does not list are
   * accepted. Otherwise both are refused.
   */
  readonly open: boolean
  /** Whether bounds of numbers and lengths of texts count. Texts and pairs without a bound have these. */
  readonly bounds?: { readonly textCharsMax: number; readonly pairsCharsMax: number }
}

/** Compiles a description. The value must come from JSON: no undefined, no accessors, no classes. */
export function predicateOf(shape: AnyShape, strictness: Strictness): Predicate {
  const { open, bounds } = strictness
  switch (shape.kind) {
    case 'text': {
      const charsMax = bounds === undefined ? Infinity : (shape.notes.maxLength ?? bounds.textCharsMax)
      return charsMax === Infinity ? isText : (value) => typeof value === 'string' && value.length <= charsMax
    }
    case 'sign':
      return (value) => typeof value === 'string' && SIGN_PATTERN.test(value)
    case 'integer':
    case 'number': {
      const isNumber: Predicate = shape.kind === 'integer' ? Number.isSafeInteger : Number.isFinite
      if (bounds === undefined) return isNumber
      const minimum = boundOf(shape.notes.minimum ?? -Infinity, LIMITS)
      const maximum = boundOf(shape.notes.maximum ?? Infinity, LIMITS)
      return (value) => isNumber(value) && (value as number) >= minimum && (value as number) <= maximum
    }
    case 'boolean':
      return (value) => typeof value === 'boolean'
    case 'literal':
      return (value) => value === shape.value
    case 'choice': {
      if (open) return predicateOf({ kind: 'text', notes: { maxLength: WORD_CHARS_MAX } }, strictness)
      const choices = new Set<unknown>(shape.choices)
      return (value) => choices.has(value)
    }
    case 'list': {
      // The frame of a batch, whose items are read one by one afterwards.
      if (shape.item.kind === 'any') return Array.isArray
      const item = predicateOf(shape.item, strictness)
      return (value) => Array.isArray(value) && value.every(item)
    }
    case 'pairs':
      return pairsPredicate(bounds?.pairsCharsMax ?? Infinity)
    case 'object':
      return open ? openObject(shape.fields, strictness) : closedObject(shape.fields, strictness)
    case 'union': {
      const options = shape.options.map((option) => predicateOf(option, strictness))
      return (value) => options.some((option) => option(value))
    }
    case 'any':
      return () => true
    default:
      return isJsonObject
  }
}

/** Longest word of a newer node in place of one that the description lists. */
const WORD_CHARS_MAX = 128

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Whether the value is a JSON object. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pairsPredicate(charsMax: number): Predicate {
  return (value) => {
    if (!isJsonObject(value)) return false
    let chars = 0
    for (const name in value) {
      const text = value[name]
      if (typeof text !== 'string' || name === '__proto__') return false
      chars += name.length + text.length
    }
    return chars <= charsMax
  }
}

interface Member {
  readonly name: string
  readonly required: boolean
  readonly holds: Predicate
}

function membersOf(fields: Readonly<Record<string, AnyField>>, strictness: Strictness): Member[] {
  return Object.entries(fields).map(([name, field]) =>
    field.kind === 'optional'
      ? { name, required: false, holds: predicateOf(field.shape, strictness) }
      : { name, required: true, holds: predicateOf(field, strictness) },
  )
}

/** Looks at the fields of the description only. None has the name of something that every object inherits. */
function openObject(fields: Readonly<Record<string, AnyField>>, strictness: Strictness): Predicate {
  const members = membersOf(fields, strictness)
  return (value) => {
    if (!isJsonObject(value)) return false
    for (const { name, required, holds } of members) {
      const member = value[name]
      if (member === undefined ? required : !holds(member)) return false
    }
    return true
  }
}

/** Looks at the fields of the value: each must be known. */
function closedObject(fields: Readonly<Record<string, AnyField>>, strictness: Strictness): Predicate {
  const members = membersOf(fields, strictness)
  const byName = new Map(members.map((member) => [member.name, member]))
  const requiredCount = members.filter(({ required }) => required).length
  return (value) => {
    if (!isJsonObject(value)) return false
    let missing = requiredCount
    for (const name in value) {
      const member = byName.get(name)
      if (member === undefined || !member.holds(value[name])) return false
      if (member.required) missing--
    }
    return missing === 0
  }
}
