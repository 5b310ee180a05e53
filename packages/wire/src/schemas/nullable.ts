/** Schemas of what callers send: a reader takes null in an optional field for its absence, as many languages write it. */
import { defined } from '../defined.js'
import type { JsonSchema } from '../shape/json-schema.js'

/** The schema with null allowed wherever a field may be absent. What it refers to is not changed. */
export function takingNull(schema: JsonSchema): JsonSchema {
  const {
    type,
    properties,
    required = [],
    items,
    anyOf: options,
  } = schema as {
    readonly type?: string
    readonly properties?: Readonly<Record<string, JsonSchema>>
    readonly required?: readonly string[]
    readonly items?: JsonSchema
    readonly anyOf?: readonly JsonSchema[]
  }
  if (options !== undefined) return { ...schema, anyOf: options.map(takingNull) }
  if (items !== undefined) return { ...schema, items: takingNull(items) }
  if (type !== 'object' || properties === undefined) return schema
  const fields = Object.entries(properties).map(([name, field]) => {
    const taken = takingNull(field)
    return [name, required.includes(name) ? taken : orNull(taken)]
  })
  return { ...schema, properties: Object.fromEntries(fields) }
}

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values, description, ...rest } = schema
  const notes = defined({ description })
  // `not` with a pattern refuses whatever is no string.
  if (typeof type !== 'string' || 'not' in rest)
    return { ...notes, anyOf: [{ ...rest, ...defined({ type, enum: values }) }, { type: 'null' }] }
  return {
    ...schema,
    type: [type, 'null'],
    ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
  }
}
