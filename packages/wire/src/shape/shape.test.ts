/** One description, three readings of it: reader, predicate and JSON schema never disagree; nor do the types. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../limits.js'
import * as events from '../shapes/events.js'
import { explanationShape } from '../shapes/explanation.js'
import * as instances from '../shapes/instances.js'
import { clientMessages, serverMessages } from '../shapes/messages.js'
import * as namespaces from '../shapes/namespaces.js'
import * as overrides from '../shapes/overrides.js'
import * as services from '../shapes/services.js'
import { jsonSchemaOf, type JsonSchema } from './json-schema.js'
import { predicateOf } from './predicate.js'
import { readerOf, Warnings } from './reader.js'
import {
  any,
  anyObject,
  boolean,
  boundOf,
  choice,
  count,
  fieldsOf,
  integer,
  list,
  literal,
  number,
  object,
  optional,
  pairs,
  sign,
  text,
  union,
  type AnyField,
  type AnyShape,
  type Shape,
} from './shape.js'

const SHAPES: readonly [string, AnyShape][] = [
  ...Object.entries({ ...events, ...instances, ...namespaces, ...overrides, ...services }).flatMap(
    ([name, value]): [string, AnyShape][] => (isShape(value) ? [[name, value]] : []),
  ),
  ['explanationShape', explanationShape],
  ...Object.entries(clientMessages).map(([type, shape]): [string, AnyShape] => [`client ${type}`, shape]),
  ...Object.entries(serverMessages).map(([type, shape]): [string, AnyShape] => [`server ${type}`, shape]),
]

function isShape(value: object): value is AnyShape {
  return 'notes' in value
}

const BOUNDS = { textCharsMax: 4_096, pairsCharsMax: 65_536 }

/** A value that a description allows. `wrong` is mixed in where it is given. */
function valueOf(shape: AnyShape, wrong?: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const right = rightOf(shape, wrong)
  return wrong === undefined ? right : fc.oneof({ weight: 40, arbitrary: right }, wrong)
}

function rightOf(shape: AnyShape, wrong?: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'text': {
      const { minLength = 0, pattern = `^[a-z0-9 ]{${minLength},20}$`, not } = shape.notes
      // The long ones are of hosts, which `host-forms.test.ts` tries; made from the pattern they take most of the time.
      if (pattern.length > 200) return fc.constantFrom('10.0.0.1', '::1', 'a.example')
      const texts = fc.stringMatching(new RegExp(pattern), { maxLength: 40 })
      return not === undefined ? texts : texts.filter((made) => !new RegExp(not.pattern).test(made))
    }
    case 'sign':
      return fc.stringMatching(/^[0-9a-f]{16}$/)
    case 'integer': {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = shape.notes
      return fc.integer({ min: boundOf(minimum, LIMITS), max: boundOf(maximum, LIMITS) })
    }
    case 'number': {
      const { minimum = -1e9, maximum = 1e9 } = shape.notes
      return fc.double({ noNaN: true, min: boundOf(minimum, LIMITS), max: boundOf(maximum, LIMITS) })
    }
    case 'boolean':
      return fc.boolean()
    case 'literal':
      return fc.constant(shape.value)
    case 'choice':
      return fc.constantFrom(...shape.choices)
    case 'list':
      return fc.array(valueOf(shape.item, wrong), { maxLength: 3 })
    case 'pairs':
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ maxLength: 5 }), {
        maxKeys: 3,
      })
    case 'object': {
      const entries = Object.entries(shape.fields)
      const fields = entries.map(([name, field]) => [name, valueOf(shapeOf(field), wrong)] as const)
      const requiredKeys = entries.filter(([, field]) => field.kind !== 'optional').map(([name]) => name)
      return fc.record(Object.fromEntries(fields), { requiredKeys })
    }
    case 'union':
      return fc.oneof(...shape.options.map((option) => valueOf(option, wrong)))
    default:
      return fc.dictionary(fc.constantFrom('a', 'b'), fc.integer())
  }
}

function shapeOf(field: AnyField): AnyShape {
  return field.kind === 'optional' ? field.shape : field
}

/** As a request brings it: through text. */
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

const SIGN = '^[0-9a-f]{16}$'
const BOUND_NAMES = new Set([
  'not',
  'minLength',
  'maxLength',
  'maxItems',
  'maxProperties',
  'default',
  'minimum',
  'maximum',
])

/** The schema without the bounds that a reader leaves to the core; `closed` to fields that it does not have. */
function typesOnly(schema: JsonSchema, closed: boolean): JsonSchema {
  const walk = (value: unknown, names: boolean): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, false))
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value)
      .filter(([name, inner]) => names || !(BOUND_NAMES.has(name) || (name === 'pattern' && inner !== SIGN)))
      .map(([name, inner]) => [name, walk(inner, name === 'properties')] as const)
    const { type, properties } = value as JsonSchema
    const exact = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
    return {
      ...Object.fromEntries(kept),
      ...(type === 'integer' ? exact : {}),
      ...(closed && properties !== undefined && !names ? { additionalProperties: false } : {}),
    }
  }
  return walk(schema, false) as JsonSchema
}

const ajv = new Ajv2020({ strict: false })
const schemaOf = (shape: AnyShape): JsonSchema => jsonSchemaOf(shape, () => undefined)
const wrong = fc.constantFrom(null, true, 1.5, 2 ** 53, -1, 'x', '', [], {}, [1], { a: 1 })

describe.each(SHAPES)('%s', (_, shape) => {
  it('is accepted, and allowed by its schema, where the value is right', () => {
    const allows = ajv.compile(schemaOf(shape))
    const closed = predicateOf(shape, { open: false, bounds: BOUNDS })
    const open = predicateOf(shape, { open: true, bounds: BOUNDS })
    fc.assert(
      fc.property(valueOf(shape), (made) => {
        const value = parsed(made)
        expect(allows(value), JSON.stringify(allows.errors)).toBe(true)
        expect([closed(value), open(value)]).toEqual([true, true])
      }),
      { numRuns: 40 },
    )
  })

  it('is refused by predicate and schema alike where a part of the value is wrong', () => {
    const allows = ajv.compile(typesOnly(schemaOf(shape), true))
    const closed = predicateOf(shape, { open: false })
    fc.assert(
      fc.property(valueOf(shape, wrong), (made) => {
        const value = parsed(made)
        expect([value, closed(value)]).toEqual([value, allows(value)])
      }),
      { numRuns: 100 },
    )
  })
})

/** A value as it is meant by a caller who writes null for what is not set: optional fields only. */
function withoutNulls(shape: AnyShape, value: unknown): unknown {
  if (shape.kind === 'union')
    return shape.options.reduce((meant, option) => withoutNulls(option, meant), value)
  if (Array.isArray(value))
    return shape.kind === 'list' ? value.map((each) => withoutNulls(shape.item, each)) : value
  if (shape.kind !== 'object' || typeof value !== 'object' || value === null) return value
  const isSet = ([name, inner]: readonly [string, unknown]): boolean =>
    inner !== null || shape.fields[name]?.kind !== 'optional'
  return Object.fromEntries(
    Object.entries(value)
      .filter(isSet)
      .map(([name, inner]) => {
        const field = shape.fields[name]
        return [name, field === undefined ? inner : withoutNulls(shapeOf(field), inner)]
      }),
  )
}

/** What callers send. */
const REQUESTS = SHAPES.filter(([name]) => /Request|Clearing|registration|Ref|Settings|^client/.test(name))

describe.each(REQUESTS)('%s', (_, shape) => {
  it('is read where its schema allows it, without what is not part of it', () => {
    const allows = ajv.compile(typesOnly(schemaOf(shape), false))
    const reader = readerOf(shape as Shape<unknown>)
    const closed = predicateOf(shape, { open: false })
    fc.assert(
      fc.property(valueOf(shape, wrong), (made) => {
        const value = parsed(made)
        const before = JSON.stringify(value)
        const warnings = new Warnings()
        const reading = reader.read(value, '', warnings)
        const meant = withoutNulls(shape, value)
        expect([before, reading.ok]).toEqual([before, allows(meant)])
        expect(JSON.stringify(value)).toBe(before)
        // What is right as it stands is handed on without a copy, and without a warning.
        const asMeant = JSON.stringify(meant) === before
        expect(closed(value)).toBe(reading.ok && warnings.list() === undefined && asMeant)
        if (reading.ok) expect(closed(reading.value)).toBe(true)
        if (closed(value)) expect(reading).toHaveProperty('value', value)
      }),
      { numRuns: 200 },
    )
  })
})

interface Sample {
  readonly name: string
  readonly port?: number
  readonly tls?: boolean | { readonly strict?: boolean }
}

const sample: Shape<Sample> = object<Sample>({
  name: text({ maxLength: 5 }),
  port: optional(integer({ minimum: 1, maximum: 9 })),
  tls: optional(
    union(boolean(), object<{ readonly strict?: boolean }>({ strict: optional(boolean()) }), {
      description: 'd',
    }),
  ),
})

describe('a description', () => {
  it('does not compile where it differs from its type', () => {
    // @ts-expect-error a forgotten field
    object<Sample>({ name: text(), port: optional(integer()) })
    // @ts-expect-error one too many
    object<Sample>({ name: text(), port: optional(integer()), tls: optional(boolean()), zone: text() })
    const { tls } = fieldsOf(sample) as never
    // @ts-expect-error another type
    object<Sample>({ name: integer(), port: optional(integer()), tls })
    // @ts-expect-error what may be absent is required
    object<Sample>({ name: text(), port: integer(), tls })
    // @ts-expect-error what is required may be absent
    object<Sample>({ name: optional(text()), port: optional(integer()), tls })
    // @ts-expect-error a word more than the type has
    const words: Shape<'a'> = choice(['a', 'b'])
    // @ts-expect-error a word less
    const fewer: Shape<'a' | 'b'> = choice(['a'])
    expect([words.kind, fewer.kind]).toEqual(['choice', 'choice'])
  })

  it('has its default in words, and the bounds of the node that is asked', () => {
    const shape = integer({ minimum: 0, maximum: 'weightMax', default: 100, description: 'Share.' })
    const limits = { ...LIMITS, weightMax: 7 }
    const schema = { type: 'integer', minimum: 0, maximum: 7, description: 'Share. Default: `100`.' }
    expect(jsonSchemaOf(shape, () => undefined, limits)).toEqual(schema)
    const batch = jsonSchemaOf(list(shape, { maxItems: 'batchItemsMax' }), () => undefined, limits)
    expect(batch).toEqual({ type: 'array', items: schema, maxItems: 10_000 })
  })

  it('has its remarks in the schema, and names in place of what has one', () => {
    expect(schemaOf(sample)).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 5 },
        port: { type: 'integer', minimum: 1, maximum: 9 },
        tls: {
          anyOf: [{ type: 'boolean' }, { type: 'object', properties: { strict: { type: 'boolean' } } }],
          description: 'd',
        },
      },
      required: ['name'],
    })
    expect(jsonSchemaOf(list(sample), (shape) => (shape === sample ? '#/x' : undefined))).toEqual({
      type: 'array',
      items: { $ref: '#/x' },
    })
  })
})

describe('a predicate', () => {
  const holds = (shape: AnyShape, value: unknown, open: boolean, bounded = true): boolean =>
    predicateOf(shape, bounded ? { open, bounds: BOUNDS } : { open })(value)

  it('accepts of a newer peer fields and words that it does not know', () => {
    expect(holds(sample, { name: 'a', colour: 1 }, true)).toBe(true)
    expect(holds(sample, { name: 'a', colour: 1 }, false)).toBe(false)
    expect(holds(choice(['a']), 'b', true)).toBe(true)
    expect(holds(choice(['a']), 'b', false)).toBe(false)
    expect(holds(choice(['a']), 'b'.repeat(1_000), true)).toBe(false)
    expect(holds(literal(true), false, true)).toBe(false)
  })

  it('bounds what it accepts, where it is asked to', () => {
    const cases: readonly [AnyShape, unknown][] = [
      [sample, { name: 'abcdef' }],
      [sample, { name: 'a', port: 10 }],
      [text(), 'x'.repeat(5_000)],
      [pairs(), { a: 'x'.repeat(70_000) }],
      [count(), -1],
      [number({ minimum: 0 }), -1],
    ]
    for (const [shape, value] of cases) {
      expect([holds(shape, value, true), holds(shape, value, true, false)]).toEqual([false, true])
    }
  })

  it('takes no number that is infinite, no sign that is none, and no prototype as a key', () => {
    expect(holds(number(), JSON.parse('1e999'), true)).toBe(false)
    expect(holds(sign, '0123456789ABCDEF', true)).toBe(false)
    expect(holds(pairs(), JSON.parse('{"__proto__":"x"}'), true)).toBe(false)
    expect(holds(sample, JSON.parse('{"__proto__":{"name":"x"}}'), true)).toBe(false)
    expect([holds(any, null, true), holds(anyObject, [], true), holds(anyObject, {}, true)]).toEqual([
      true,
      false,
      true,
    ])
  })
})
