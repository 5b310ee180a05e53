/** The OpenAPI document is valid and says what the tables say. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../errors.js'
import { LIMITS } from '../limits.js'
import { openApiDocument } from './openapi.js'
import { NODE_ROUTES, ROUTES } from './routes/index.js'

const document = JSON.parse(JSON.stringify(openApiDocument({ version: '1.2.3' }))) as {
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}
interface Operation {
  operationId: string
  parameters?: readonly { name: string; in: string; required: boolean }[]
  responses: Record<string, { description: string }>
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(structuredClone(document))
    expect(result.errors).toBeUndefined()
    expect(result.valid).toBe(true)
    expect(validator.version).toBe('3.1')
    expect(document.info.version).toBe('1.2.3')
  })

  it('has an operation for every route and a route for every operation', () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) => `${method.toUpperCase()} ${path} ${operation.operationId}`,
      ),
    )
    const routes = [...ROUTES, ...NODE_ROUTES].map((route) => `${route.method} ${route.path} ${route.id}`)
    expect(documented.toSorted()).toEqual(routes.toSorted())
  })

  it('declares every parameter of a path', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      for (const operation of Object.values(methods)) {
        const declared = (operation.parameters ?? []).filter((each) => each.in === 'path')
        expect(declared.map((each) => each.name)).toEqual(inPath)
        expect(declared.every((each) => each.required)).toBe(true)
      }
    }
  })

  it('documents each error code of a route under its own status', () => {
    for (const route of ROUTES) {
      const responses = document.paths[route.path]?.[route.method.toLowerCase()]?.responses ?? {}
      for (const code of route.errors) {
        expect(responses[String(ERROR_CODES[code].httpStatus)]?.description).toContain(`\`${code}\``)
      }
    }
  })

  it('resolves every reference and shows limits', () => {
    const text = JSON.stringify(document)
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name)
    }
    expect(document.components.schemas['InstanceSpec']).toMatchObject({
      properties: { port: { minimum: 1, maximum: 65_535 }, service: { pattern: '^[A-Za-z0-9._-]{1,128}$' } },
      required: ['service', 'host', 'port'],
    })
  })
})

/** What the generators and linters of `npm run proof api` stumbled over, held without them. */
describe('the OpenAPI document, as generators of clients read it,', () => {
  const { schemas } = document.components
  const every = (
    value: unknown,
    visit: (schema: Record<string, unknown>, at: string) => void,
    at = '',
  ): void => {
    if (typeof value !== 'object' || value === null) return
    visit(value as Record<string, unknown>, at)
    for (const [name, inner] of Object.entries(value)) every(inner, visit, `${at}/${name}`)
  }

  it('has no default in a body: a field with one becomes required', () => {
    const found: string[] = []
    every(schemas, (schema, at) => {
      if (!at.endsWith('/properties') && 'default' in schema) found.push(at)
    })
    expect(found).toEqual([])
  })

  it('says of each operation and chapter what it is', () => {
    const { tags, info, security } = document as unknown as Record<'tags' | 'info' | 'security', unknown>
    expect([(info as { contact: { name: string } }).contact.name, security]).toEqual([expect.any(String), []])
    const described = tags as { name: string; description: string }[]
    expect(described.filter(({ description }) => description.length < 20)).toEqual([])
    const names = new Set(described.map(({ name }) => name))
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { summary, description, tags: chapters, responses } of Object.values(
        methods,
      ) as (Operation & {
        summary: string
        description: string
        tags: string[]
      })[]) {
        expect([path, summary.endsWith('.'), description.length >= 20]).toEqual([path, true, true])
        expect([path, chapters.every((name) => names.has(name))]).toEqual([path, true])
        expect([path, Object.keys(responses).some((status) => status.startsWith('4'))]).toEqual([path, true])
      }
    }
  })

  it('refers to every component that it names, from an operation', () => {
    const used = new Set<string>()
    const visit = (value: unknown): void =>
      every(value, ({ $ref }) => {
        const name = typeof $ref === 'string' ? ($ref.split('/').at(-1) ?? '') : ''
        if (name === '' || used.has(name)) return
        used.add(name)
        visit(schemas[name])
      })
    visit(document.paths)
    expect(Object.keys(schemas).filter((name) => !used.has(name))).toEqual([])
  })

  it('has a schema for every body but those of event streams', () => {
    for (const methods of Object.values(document.paths)) {
      for (const { responses } of Object.values(methods)) {
        for (const { content = {} } of Object.values(responses) as { content?: Record<string, object> }[]) {
          for (const [mediaType, body] of Object.entries(content))
            expect([mediaType, Object.keys(body)]).toEqual([
              mediaType,
              mediaType === 'text/event-stream' ? [] : ['schema'],
            ])
        }
      }
    }
    const stray: string[] = []
    every(document, ({ schema }, at) => {
      if (at.endsWith('/schema') && schema !== undefined) stray.push(at)
    })
    expect(stray).toEqual([])
  })

  it('tells a view from a delta by what each must have', () => {
    const { View, Delta } = schemas as Record<string, { required: string[]; properties: object }>
    for (const [one, other] of [
      [View, Delta],
      [Delta, View],
    ] as const) {
      expect(one?.required.some((name) => !(name in (other?.properties ?? {})))).toBe(true)
    }
  })

  it('has the bounds of the node that serves it', () => {
    const limits = { ...LIMITS, leaseMsMax: 5_000, weightMax: 9, batchItemsMax: 3, metadataKeysMax: 2 }
    const served = JSON.stringify(openApiDocument({ version: '1', limits }))
    const { InstanceSpec, RegisterRequest } = (JSON.parse(served) as typeof document).components.schemas
    expect(InstanceSpec).toMatchObject({
      properties: { leaseMs: { maximum: 5_000 }, weight: { maximum: 9 }, metadata: { maxProperties: 2 } },
    })
    expect(RegisterRequest).toMatchObject({ properties: { instances: { maxItems: 3 } } })
  })
})

it('allows null in the optional fields of what callers send, and nowhere else', () => {
  const { InstanceSpec, ServiceSettings, Instance } = document.components.schemas as Record<
    string,
    { properties: Record<string, unknown> }
  >
  expect(InstanceSpec?.properties).toMatchObject({
    zone: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    weight: { type: ['integer', 'null'] },
    state: { type: ['string', 'null'], enum: ['starting', 'up', 'draining', null] },
    host: { type: 'string' },
  })
  expect(ServiceSettings?.properties['breaker']).toEqual({
    anyOf: [{ $ref: '#/components/schemas/BreakerSettings' }, { type: 'null' }],
  })
  expect(Instance?.properties['zone']).toMatchObject({ type: 'string' })
})
