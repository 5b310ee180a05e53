/** From a description to its JSON schema. */
import type { AnyField, AnyShape } from './shape.js'

/** A schema, or a part of the OpenAPI document around it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The reference to a shape that the document names, or undefined. */
export type ReferenceOf = (shape: AnyShape) => string | undefined

/** The schema of a description; shapes within it that have a name are referred to. */
export function jsonSchemaOf(shape: AnyShape, named: ReferenceOf): JsonSchema {
  const within = (inner: AnyShape): JsonSchema => {
    const reference = named(inner)
    return reference === undefined ? jsonSchemaOf(inner, named) : { $ref: reference }
  }
  switch (shape.kind) {
    case 'text':
      return { type: 'string', ...shape.notes }
    case 'sign':
      return { type: 'string', pattern: SIGN, ...shape.notes }
    case 'integer':
      return {
        type: 'integer',
        minimum: Number.MIN_SAFE_INTEGER,
        maximum: Number.MAX_SAFE_INTEGER,
        ...shape.notes,
      }
    case 'number':
    case 'boolean':
      return { type: shape.kind, ...shape.notes }
    case 'literal':
      return { const: shape.value, ...shape.notes }
    case 'choice':
      return { type: 'string', enum: shape.choices, ...shape.notes }
    case 'list':
      return { type: 'array', items: within(shape.item), ...shape.notes }
    case 'pairs':
      return { type: 'object', additionalProperties: { type: 'string' }, ...shape.notes }
    case 'object':
      return { ...objectSchema(shape.fields, within), ...shape.notes }
    case 'union':
      return { anyOf: shape.options.map(within), ...shape.notes }
    case 'any':
      return { ...shape.notes }
    default:
      return { type: 'object', ...shape.notes }
  }
}

const SIGN = '^[0-9a-f]{16}$'

function objectSchema(
  fields: Readonly<Record<string, AnyField>>,
  within: (shape: AnyShape) => JsonSchema,
): JsonSchema {
  const entries = Object.entries(fields)
  const properties = Object.fromEntries(
    entries.map(([name, field]) => [name, within(field.kind === 'optional' ? field.shape : field)]),
  )
  const required = entries.filter(([, field]) => field.kind !== 'optional').map(([name]) => name)
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
}
