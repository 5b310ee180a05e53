/** Paths, methods and parameters lead where the route table says. */
import { isRegistryError, LIMITS } from '@rollcall/wire'
import { openApiDocument, ROUTES, type OperationId } from '@rollcall/wire/schemas'
import { describe, expect, it } from 'vitest'
import type { Handlers } from './handlers/deps.js'
import { createRouter } from './router.js'

const handlers = Object.fromEntries(ROUTES.map(({ id }) => [id, () => {}])) as unknown as Handlers
const router = createRouter(handlers, LIMITS)

/** Queries of operations that need one. */
const NEEDED: Partial<Record<OperationId, string>> = { explain: '?service=s&id=i', watch: '?service=s' }

function refusal(method: string, url: string): unknown {
  try {
    return router.find(method, url).id
  } catch (error) {
    return isRegistryError(error) ? [error.code, error.details?.['allow']] : error
  }
}

describe('the router', () => {
  it('leads each path of the document to its operation, and has no others', () => {
    const { paths } = openApiDocument({ version: '0' }) as {
      paths: Record<string, Record<string, { operationId: OperationId }>>
    }
    let operations = 0
    for (const [path, methods] of Object.entries(paths)) {
      if (!path.startsWith('/api')) continue
      for (const [method, { operationId }] of Object.entries(methods)) {
        operations++
        const query = NEEDED[operationId] ?? ''
        const found = router.find(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, 'x-$1') + query)
        expect(found.id).toBe(operationId)
        expect(found.handler).toBe(handlers[operationId])
        expect(found.parameters).toMatchObject(
          Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, `x-${name}`])),
        )
      }
    }
    expect(operations).toBe(ROUTES.length)
  })

  it('reads parameters, the same when asked again', () => {
    const url = '/api/v1/services/a%2Eb/instances/%5B::1%5D:80?group=y&namespace=shop'
    for (let time = 0; time < 2; time++) {
      expect(router.find('GET', url).parameters).toEqual({
        service: 'a.b',
        id: '[::1]:80',
        group: 'y',
        namespace: 'shop',
      })
    }
  })

  it('reads a query as forms write it, and a path that is written otherwise', () => {
    const watched = router.find('GET', '/api/v1/watch?service=a%3Ab&service=c&namespace=%73hop#part')
    expect(watched.parameters).toEqual({
      service: [{ service: 'a', group: 'b' }, { service: 'c' }],
      namespace: 'shop',
    })
    expect(router.find('GET', '/api/v1/%73ervices/%61').parameters).toEqual({ service: 'a' })
    expect(refusal('GET', '/api/v1%2Fservices')).toEqual(['unknown_path', undefined])
    expect(refusal('GET', '//api/v1/services')).toEqual(['unknown_path', undefined])
    expect(refusal('GET', '/api/v1/services?__proto__=a')).toEqual(['invalid_argument', undefined])
  })

  it('refuses a wrong parameter every time it is asked', () => {
    for (let time = 0; time < 2; time++) {
      expect(refusal('GET', '/api/v1/services/a%20b')).toEqual(['invalid_argument', undefined])
      expect(refusal('GET', '/api/v1/services?namespace=')).toEqual(['invalid_argument', undefined])
      expect(refusal('GET', '/api/v1/services?namespace=a&namespace=b')).toEqual([
        'invalid_argument',
        undefined,
      ])
    }
  })

  it('tells an unknown path from a wrong method', () => {
    expect(refusal('GET', '/api/v1/nothing')).toEqual(['unknown_path', undefined])
    expect(refusal('GET', '/api/v1/services/')).toEqual(['unknown_path', undefined])
    expect(refusal('GET', '/api/v1/services/%zz')).toEqual(['unknown_path', undefined])
    expect(refusal('GET', '/__proto__')).toEqual(['unknown_path', undefined])
    expect(refusal('BREW', '/api/v1/services')).toEqual(['method_not_allowed', ['GET', 'HEAD']])
    expect(refusal('PATCH', '/api/v1/services/x')).toEqual([
      'method_not_allowed',
      expect.arrayContaining(['GET', 'HEAD', 'PUT', 'DELETE']),
    ])
    expect(refusal('HEAD', '/api/v1/watch')).toEqual(['method_not_allowed', ['GET']])
    expect(refusal('HEAD', '/api/v1/services')).toBe('listServices')
  })

  it('stays right when more is asked for than it remembers', () => {
    for (let index = 0; index < 10_000; index++)
      expect(router.find('GET', `/api/v1/services/s${index}`).parameters['service']).toBe(`s${index}`)
    expect(router.find('GET', '/api/v1/services/s0').parameters['service']).toBe('s0')
  })
})
