/**
 * A quick look at JSON values: compiled from the same schemas, several times faster than parsing with them, and
 * never of another opinion. What it does not know for certain it leaves to the schema, errors above all.
 */
import { z } from 'zod'

/**
 * `exact`: the schema accepts the value and would return an equal one. `more`: the same for its known fields;
 * there are others. `unsure`: ask the schema.
 */
export type Fit = 'exact' | 'more' | 'unsure'

/** Looks at one value. It must come from JSON: no undefined, no accessors, no classes. */
export interface Fits {
  (value: unknown): Fit
}

type Holds = (value: unknown) => boolean

interface Field {
  readonly required: boolean
  readonly holds: Holds
}

/** Compiles the look for a schema; anything but an object without refinements is always `unsure`. */
export function createFits(schema: z.ZodType): Fits {
  if (!(schema instanceof z.ZodObject) || !isPlain(schema) || schema.def.catchall !== undefined) return unsure
  const fields = new Map<string, Field>()
  let requiredCount = 0
  for (const [name, field] of Object.entries(schema.shape)) {
    const required = !(field instanceof z.ZodExactOptional)
    if (required) requiredCount++
    fields.set(name, { required, holds: holdsOf(field as z.ZodType) })
  }
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'unsure'
    let missing = requiredCount
    let fit: Fit = 'exact'
    for (const name in value) {
      const field = fields.get(name)
      if (field === undefined) {
        fit = 'more'
      } else {
        if (!field.holds((value as Record<string, unknown>)[name])) return 'unsure'
        if (field.required) missing--
      }
    }
    return missing === 0 ? fit : 'unsure'
  }
}

const unsure: Fits = () => 'unsure'
const never: Holds = () => false
const isText: Holds = (value) => typeof value === 'string'
const isFlag: Holds = (value) => typeof value === 'boolean'
const isInt: Holds = (value) => Number.isSafeInteger(value)

function holdsOf(schema: z.ZodType): Holds {
  if (!isPlain(schema)) return never
  if (schema instanceof z.ZodExactOptional) return holdsOf(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodString) return isText
  if (schema instanceof z.ZodBoolean) return isFlag
  if (schema instanceof z.ZodNumberFormat && schema.format === 'safeint') return isInt
  if (schema instanceof z.ZodEnum) {
    const choices = new Set<unknown>(schema.options)
    return (value) => choices.has(value)
  }
  if (schema instanceof z.ZodRecord) {
    const { keyType, valueType } = schema
    const ofTexts = holdsOf(keyType as z.ZodType) === isText && holdsOf(valueType as z.ZodType) === isText
    return ofTexts ? isPairs : never
  }
  if (schema instanceof z.ZodArray) return schema.element instanceof z.ZodUnknown ? Array.isArray : never
  // Unknown fields of a nested object must go, and be named: that is for the schema.
  const fits = createFits(schema)
  return (value) => fits(value) === 'exact'
}

/** Whether the schema checks the type and nothing else. */
function isPlain(schema: z.ZodType): boolean {
  return (schema.def.checks ?? []).length === 0
}

/** JSON.parse makes `__proto__` an own key; judging refuses it as a key of pairs. */
function isPairs(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const name in value) {
    if (typeof (value as Record<string, unknown>)[name] !== 'string' || name === '__proto__') return false
  }
  return true
}
