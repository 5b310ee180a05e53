/** Paths: ids of any kind, the longest route, and the refusals of Consul. */
import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { createRouter } from './router.js'

const router = createRouter({
  '/v1/agent/services': { GET: 'services' },
  '/v1/agent/service/*': { GET: 'service' },
  '/v1/agent/service/register': { PUT: 'register' },
  '/v1/agent/service/deregister/*': { PUT: 'deregister' },
})

function found(method: string, url: string): unknown[] {
  try {
    const { handler, rest, query } = router.find(method, url)
    return [handler, rest, query.toString()]
  } catch (error) {
    if (!isRegistryError(error)) throw error
    return [error.details?.['status'] ?? error.httpStatus, error.message]
  }
}

describe('a path', () => {
  it.each<[string, string, unknown[]]>([
    ['GET', '/v1/agent/services', ['services', '', '']],
    ['GET', '/v1/agent/services?filter=a', ['services', '', 'filter=a']],
    ['HEAD', '/v1/agent/service/web', ['service', 'web', '']],
    ['GET', '/v1/agent/service/a/b%2Fc', ['service', 'a/b/c', '']],
    ['GET', '/v1/agent/service/h%231%25', ['service', 'h#1%', '']],
    ['GET', '/v1/agent/service/a#b', ['service', 'a#b', '']],
    ['PUT', '/v1/agent/service/register?x=', ['register', '', 'x=']],
    ['PUT', '/v1/agent/service/deregister/service:web', ['deregister', 'service:web', '']],
    ['GET', '/v1/agent/service/%', [400, 'Invalid URL path: it cannot be decoded']],
    ['GET', '/v1/agent/service/%ff', [400, 'Invalid URL path: it cannot be decoded']],
    ['GET', '/', [404, 'Invalid URL path: not a recognized HTTP API endpoint']],
    ['GET', '/v1/toString', [404, 'Invalid URL path: not a recognized HTTP API endpoint']],
    ['POST', '/v1/agent/services', [405, 'method POST not allowed']],
    ['constructor', '/v1/agent/services', [405, 'method constructor not allowed']],
  ])('%s %s', (method, url, expected) => {
    expect(found(method, url)).toEqual(expected)
  })

  it('says what it allows', () => {
    expect(router.allowed('/v1/agent/services?x')).toEqual(['OPTIONS', 'GET'])
  })
})
