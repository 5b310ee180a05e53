import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createFits } from './fits.js'
import { createJudge, Warnings, type Judge } from './judging.js'
import { instanceRefSchema, registrationSchema, signItemSchema, watchItemSchema } from './requests.js'

const SHAPES: Readonly<Record<string, z.ZodType>> = {
  registration: registrationSchema,
  'instance ref': instanceRefSchema,
  'sign item': signItemSchema,
  'watch item': watchItemSchema,
}

/** The same shape, but judged by its schema alone: a refinement that refuses nothing rules out the quick look. */
function judgedBySchema(schema: z.ZodType): Judge<unknown> {
  return createJudge(schema.refine(() => true))
}

/** Every field of the schema and strange ones, each with a value that may or may not suit it. */
function itemOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const text = fc.constantFrom('a', 'up', 'lease', 'tcp', '', '__proto__')
  const odd = fc.oneof(
    fc.constantFrom(null, true, -0, 1.5, 2 ** 53, -(2 ** 53), 1e300, [], {}),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const mostly = (suited: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 60, arbitrary: suited }, odd)
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', '0', '__proto__', 'constructor', 'length')
  const pairs = fc.dictionary(key, mostly(text), { maxKeys: 3 })
  const probe = fc.record(
    {
      type: mostly(fc.constantFrom('tcp', 'http')),
      port: mostly(fc.nat()),
      headers: pairs,
      tls: mostly(
        fc.oneof(fc.boolean(), fc.record({ insecure: fc.boolean(), sni: odd }, { requiredKeys: [] })),
      ),
      prot: odd,
    },
    { requiredKeys: ['type'] },
  )
  const suiting: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    metadata: pairs,
    probe,
    state: fc.constantFrom('starting', 'up', 'draining'),
    liveness: fc.constantFrom('lease', 'probe', 'static'),
    port: fc.nat(),
    weight: fc.nat(),
    leaseMs: fc.nat(),
    incarnation: fc.maxSafeInteger(),
    rev: fc.maxSafeInteger(),
  }
  const known = fc.record(Object.fromEntries(names.map((name) => [name, mostly(suiting[name] ?? text)])), {
    requiredKeys: names.filter((name) => /^(service|id|host|port|sign)$/.test(name)),
  })
  const unknown = fc.dictionary(key, odd, { maxKeys: 2 })
  const item = fc
    .tuple(known, fc.option(unknown, { freq: 2 }), fc.option(fc.constantFrom(...names), { freq: 2 }))
    // As a request brings it: through text, so that `__proto__` is an own key.
    .map(([some, more, missing]) => {
      const entries = [...Object.entries(some), ...Object.entries(more ?? {})].filter(
        ([name]) => name !== missing,
      )
      return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join()}}`
    })
    .map((json) => JSON.parse(json) as unknown)
  return fc.oneof({ weight: 20, arbitrary: item }, odd)
}

/** JSON.stringify, except that it does not make 0 of -0. */
function textOf(value: unknown): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value)
}

describe.each(Object.entries(SHAPES))('the quick look at a %s', (_name, schema) => {
  const quick = createJudge(schema)
  const thorough = judgedBySchema(schema)

  it('has the opinion of the schema, with the same value, error and warnings', () => {
    const seen = { exact: 0, more: 0, refused: 0 }
    const fits = createFits(schema)
    fc.assert(
      fc.property(itemOf(schema), (item) => {
        const before = JSON.stringify(item)
        const [quickWarnings, thoroughWarnings] = [new Warnings(), new Warnings()]
        const judged = quick.judge(item, 'instances[].', quickWarnings)
        const expected = thorough.judge(item, 'instances[].', thoroughWarnings)
        expect(judged).toStrictEqual(expected)
        expect(quickWarnings.list()).toEqual(thoroughWarnings.list())
        expect(JSON.stringify(item)).toBe(before)
        const fit = fits(item)
        if (fit !== 'unsure') seen[fit]++
        if (!judged.ok) seen.refused++
      }),
      { numRuns: 1_000 },
    )
    // The property says nothing unless all the ways were gone.
    expect(Math.min(seen.exact, seen.more, seen.refused)).toBeGreaterThan(10)
  })
})

describe('the quick look', () => {
  it('is enough for well-formed items, so that they cost no parsing', () => {
    const fits = createFits(registrationSchema)
    const all = {
      ...{
        namespace: 'n',
        service: 's',
        group: 'g',
        id: 'i',
        host: 'h',
        port: 1,
        protocol: 'http',
        weight: 1,
      },
      ...{
        zone: 'z',
        metadata: { a: 'b' },
        state: 'up',
        leaseMs: 1,
        incarnation: 1,
        rev: 1,
        liveness: 'probe',
      },
      probe: { type: 'http', port: 1, path: '/', headers: { a: 'b' }, serviceName: 's' },
    }
    expect(Object.keys(all)).toEqual(Object.keys((registrationSchema as unknown as z.ZodObject).shape))
    expect(fits(all)).toBe('exact')
    expect(fits({ ...all, colour: 1 })).toBe('more')
    expect(createFits(instanceRefSchema)({ service: 's', id: 'i' })).toBe('exact')
  })

  it('leaves to the schema whatever is more than a type', () => {
    const values = [
      '',
      'a',
      ' a ',
      'a@b.cd',
      1,
      -1,
      2 ** 40,
      1.5,
      true,
      null,
      [],
      ['a'],
      {},
      { a: 'b' },
      { a: 1 },
    ]
    const fields: readonly z.ZodType[] = [
      z.string().min(1),
      z.string().trim(),
      z.string().refine((text) => text !== 'a'),
      z.string().default('a'),
      z.string().transform(Number),
      z.email(),
      z.coerce.string(),
      z.coerce.number(),
      z.number(),
      z.int().min(0),
      z.int32(),
      z.literal('a'),
      z.union([z.string(), z.int()]),
      z.array(z.string()),
      z.array(z.unknown()).max(0),
      z.record(z.string(), z.int()),
      z.record(z.string().min(2), z.string()),
      z.record(z.enum(['a']), z.string()),
      z.object({ a: z.string() }),
      z.strictObject({}),
      z.looseObject({}),
      z.object({}).refine(() => false),
      z.string().optional(),
      z.string().exactOptional(),
      z
        .string()
        .exactOptional()
        .refine((text) => text !== 'a'),
      z.record(z.string(), z.string()),
      z.int(),
      z.boolean(),
      z.enum(['a']),
      z.array(z.unknown()),
      z.string().nullable(),
      z.unknown(),
    ]
    for (const field of fields) {
      for (const schema of [z.object({ field }), z.strictObject({ field }), z.looseObject({ field })]) {
        const fits = createFits(schema)
        for (const value of values) {
          for (const item of [{ field: value }, { field: value, b: 1 }, value]) {
            const fit = fits(item)
            if (fit === 'unsure') continue
            const result = schema.safeParse(item)
            expect(result.success, `${field.type} ${JSON.stringify(item)}`).toBe(true)
            expect(result.data).toStrictEqual(Object.hasOwn(item as object, 'field') ? { field: value } : {})
          }
        }
      }
    }
  })
})
