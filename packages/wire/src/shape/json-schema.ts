/** From a description to its JSON schema, as generators of clients like it. */
import { defined } from '../defined.js'
import { LIMITS, type Limits } from '../limits.js'
import { boundOf, type AnyField, type AnyShape, type Bound, type Notes } from './shape.js'

/** A schema, or a part of the OpenAPI document around it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The reference to a shape that the document names, or undefined. */
export type ReferenceOf = (shape: AnyShape) => string | undefined

/** The schema of a description; shapes within it that have a name are referred to. `limits` are those of the node. */
export function jsonSchemaOf(shape: AnyShape, named: ReferenceOf, limits: Limits = LIMITS): JsonSchema {
  const within = (inner: AnyShape): JsonSchema => {
    const reference = named(inner)
    return reference === undefined ? jsonSchemaOf(inner, named, limits) : { $ref: reference }
  }
  const notes = notesOf(shape.notes, limits)
  switch (shape.kind) {
    case 'text':
      return { type: 'string', ...notes }
    case 'sign':
      return { type: 'string', pattern: SIGN, ...notes }
    case 'integer':
      return {
        type: 'integer',
        minimum: Number.MIN_SAFE_INTEGER,
        maximum: Number.MAX_SAFE_INTEGER,
        ...notes,
      }
    case 'number':
    case 'boolean':
      return { type: shape.kind, ...notes }
    case 'literal':
      return { type: typeof shape.value, const: shape.value, ...notes }
    case 'choice':
      return { type: 'string', enum: shape.choices, ...notes }
    case 'list':
      return { type: 'array', items: within(shape.item), ...notes }
    case 'pairs': {
      const { keys, values, ...rest } = shape.notes
      const propertyNames = { ...keys, not: { const: '__proto__' } }
      const additionalProperties = { type: 'string', ...values }
      return { type: 'object', additionalProperties, propertyNames, ...notesOf(rest, limits) }
    }
    case 'object':
      return { ...objectSchema(shape.fields, within), ...notes }
    case 'union':
      return { [isExclusive(shape.options) ? 'oneOf' : 'anyOf']: shape.options.map(within), ...notes }
    case 'any':
      return { ...notes }
    default:
      return { type: 'object', ...notes }
  }
}

const SIGN = '^[0-9a-f]{16}$'

/**
 * Bounds as numbers, and the default as a sentence: by `default` many generators make a field required, in requests too,
 * or let a client send a value that was never asked for.
 */
function notesOf({ description, default: standard, ...rest }: Notes, limits: Limits): JsonSchema {
  const words = [description, standard === undefined ? undefined : `Default: \`${standard}\`.`]
    .filter((each) => each !== undefined)
    .join(' ')
  const resolved = Object.entries(rest).map(([name, value]) => [
    name,
    BOUNDS.has(name) ? boundOf(value as Bound, limits) : value,
  ])
  return { ...Object.fromEntries(resolved), ...defined({ description: words === '' ? undefined : words }) }
}

const BOUNDS: ReadonlySet<string> = new Set(['minimum', 'maximum', 'maxItems', 'maxProperties'])

/** Objects of a union are told apart by what each must have. */
function isExclusive(options: readonly AnyShape[]): boolean {
  return options.every(({ kind }) => kind === 'object')
}

function objectSchema(
  fields: Readonly<Record<string, AnyField>>,
  within: (shape: AnyShape) => JsonSchema,
): JsonSchema {
  const entries = Object.entries(fields)
  const properties = Object.fromEntries(
    entries.map(([name, field]) => [
      name,
      field.kind === 'optional' ? present(within(field.shape)) : within(field),
    ]),
  )
  const required = entries.filter(([, field]) => field.kind !== 'optional').map(([name]) => name)
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
}

/** A field that is there only as `true`, said as an enumeration: some generators cannot write an optional constant. */
function present(schema: JsonSchema): JsonSchema {
  const { const: value, ...rest } = schema
  return value === true ? { ...rest, enum: [true] } : schema
}
