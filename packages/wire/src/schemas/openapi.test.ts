/** The OpenAPI document is valid and says what the tables say. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../errors.js'
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
