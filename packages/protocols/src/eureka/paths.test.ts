/** Every way in which clients write a path means the same. */
import { describe, expect, it } from 'vitest'
import { readAsked } from './paths.js'

describe('a path', () => {
  it.each([
    ['GET', '/eureka/apps', { kind: 'all' }],
    ['HEAD', '/eureka/apps/', { kind: 'all' }],
    ['GET', '//eureka//apps//', { kind: 'all' }],
    ['GET', '/eureka/v2/apps/delta?regions=a', { kind: 'delta' }],
    ['GET', '/eureka/v1/apps/SVC', { kind: 'application', app: 'SVC' }],
    ['POST', '/eureka/apps/delta', { kind: 'register', app: 'delta' }],
    ['PUT', '/eureka/apps/S/h%3As%3A1', { kind: 'renew', app: 'S', id: 'h:s:1' }],
    ['DELETE', '/eureka/apps/S/h:s:1', { kind: 'cancel', app: 'S', id: 'h:s:1' }],
    ['GET', '/eureka/apps/S/a%2Fb', { kind: 'instance', app: 'S', id: 'a/b' }],
    ['PUT', '/eureka/apps/S/i/status?value=UP', { kind: 'putStatus', app: 'S', id: 'i' }],
    ['DELETE', '/eureka/apps/S/i/status', { kind: 'deleteStatus', app: 'S', id: 'i' }],
    ['PUT', '/eureka/apps/S/i/metadata?a=b', { kind: 'putMetadata', app: 'S', id: 'i' }],
    ['GET', '/eureka/instances/i', { kind: 'anywhere', id: 'i' }],
    ['GET', '/eureka/vips/v', { kind: 'vip', vip: 'v' }],
    ['GET', '/eureka/svips/v', { kind: 'secureVip', vip: 'v' }],
    ['GET', '/eureka/status', { kind: 'status' }],
  ])('%s %s', (method, url, operation) => {
    expect(readAsked(method, url).operation).toEqual(operation)
  })

  it.each([
    '/',
    '/eureka',
    '/apps',
    '/eureka/peerreplication/batch/',
    '/eureka/apps/a/b/c',
    '/eureka/apps/a/b/status/x',
    '/eureka/vips',
    '/eureka/apps/%ff',
    '/eureka/apps/%',
    `/eureka/apps/${'x'.repeat(20_000)}`,
  ])('%s is none', (url) => {
    expect(() => readAsked('GET', url)).toThrow(expect.objectContaining({ code: 'unknown_path' }))
  })

  it.each([
    ['POST', '/eureka/apps', ['GET']],
    ['PATCH', '/eureka/apps/S', ['GET', 'POST']],
    ['POST', '/eureka/apps/S/i', ['GET', 'PUT', 'DELETE']],
    ['constructor', '/eureka/apps/S/i', ['GET', 'PUT', 'DELETE']],
  ])('%s %s is refused, with what is taken', (method, url, allow) => {
    expect(() => readAsked(method, url)).toThrow(
      expect.objectContaining({ code: 'method_not_allowed', details: { allow } }),
    )
  })

  it('has a query of which the first of a name counts, and a plus is a blank', () => {
    const { query } = readAsked('PUT', '/eureka/apps/S/i/metadata?k=v+w&k=x&a%20b=%C3%A9')
    expect([...query]).toEqual([
      ['k', 'v w'],
      ['a b', 'é'],
    ])
  })
})
