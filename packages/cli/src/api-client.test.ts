/** The calls of the HTTP API: which node is asked, and how failures are worded. */
import { describe, expect, it } from 'vitest'
import { allServices, createApiClient, viewOf, type ClusterApi } from './api-client.js'
import { createFakeShell, type Answer, type FakeShell, type SeenRequest } from './shell.fixture.js'

function setUp(
  answer: (request: SeenRequest) => Answer,
  registries: readonly string[] = ['http://a:1'],
): { api: ClusterApi; shell: FakeShell; urls: () => string[] } {
  const shell = createFakeShell(answer)
  const api = createApiClient(shell, { registries, timeoutMs: 1_000 })
  return { api, shell, urls: () => shell.requests.map(({ url }) => url) }
}

const DOWN: Answer = { fails: 'ECONNREFUSED' }
const NOT_READY: Answer = { status: 503, json: { error: { code: 'not_ready', message: 'loading' } } }
const REMOVED = { removed: [], unknown: [], superseded: [], durability: 'memory' }
const summary = (service: string): object => ({
  ...{ namespace: 'n', service, sign: '0123456789abcdef', groups: [] },
})
const EMPTY: Answer = { json: { services: [] } }

describe('the API client', () => {
  it('reads all pages', async () => {
    const { api, urls } = setUp(({ url }) => ({
      json: url.includes('after=') ? { services: [summary('b')] } : { services: [summary('a')], next: 'a b' },
    }))
    expect(await allServices(api, { namespace: 'n', prefix: undefined })).toEqual([
      summary('a'),
      summary('b'),
    ])
    expect(urls()).toEqual([
      'http://a:1/api/v1/services?namespace=n',
      'http://a:1/api/v1/services?namespace=n&after=a%20b',
    ])
  })

  it('escapes names in paths', async () => {
    const { api, urls } = setUp(() => DOWN)
    await expect(api.call('getInstance', { service: 'a/b', id: '[::1]:80', group: 'g' })).rejects.toThrow()
    await expect(viewOf(api, { service: 'a/b' })).rejects.toThrow()
    expect(urls()).toEqual([
      'http://a:1/api/v1/services/a%2Fb/instances/%5B%3A%3A1%5D%3A80?group=g',
      'http://a:1/api/v1/services/a%2Fb?every=0ms',
    ])
  })

  it('raises the error of the registry, with field and details', async () => {
    const error = {
      code: 'needs_confirmation',
      message: 'many',
      field: 'confirm',
      details: { services: ['a'] },
    }
    const { api } = setUp(() => ({ status: 409, json: { error } }))
    await expect(api.call('deregister', { body: { host: 'h' } })).rejects.toMatchObject(error)
  })

  it('takes the results of a batch whose items all failed for an answer', async () => {
    const results = [{ ok: false, error: { code: 'id_taken', message: 'taken' } }]
    const { api } = setUp(() => ({ status: 409, json: { results } }))
    expect(await api.call('register', { body: { instances: [] } })).toEqual({ results })
  })

  it.each<[Answer, string]>([
    [{ json: 'hello', status: 200 }, 'HTTP 200'],
    [{ json: null, status: 200 }, 'HTTP 200'],
    [{ json: { error: 'Not Found' }, status: 404 }, 'HTTP 404'],
    [{ json: { error: { code: 'no such code', message: 'x' } }, status: 500 }, 'HTTP 500'],
  ])('knows what is no registry: %j', async (answer, message) => {
    const { api } = setUp(() => answer)
    await expect(viewOf(api, { service: 'a' })).rejects.toMatchObject({
      code: 'protocol',
      message: expect.stringContaining(message) as string,
    })
  })

  it('says why no registry answers', async () => {
    const { api } = setUp(() => DOWN)
    await expect(allServices(api, {})).rejects.toMatchObject({
      code: 'unreachable',
      message: 'no registry answers at http://a:1: connection refused',
    })
  })

  it('asks the next node when one is down or not ready, also for writes', async () => {
    const nodes = ['http://a:1', 'http://b:2', 'http://c:3']
    const { api, urls } = setUp(
      ({ url }) =>
        url.startsWith('http://a') ? DOWN : url.startsWith('http://b') ? NOT_READY : { json: REMOVED },
      nodes,
    )
    expect(await api.call('deregister', { body: { host: 'h' } })).toEqual(REMOVED)
    expect(urls().map((url) => new URL(url).host)).toEqual(['a:1', 'b:2', 'c:3'])
  })

  it('names every node when none answers', async () => {
    const { api } = setUp(() => DOWN, ['http://a:1', 'http://b:2'])
    await expect(allServices(api, {})).rejects.toMatchObject({
      message: expect.stringMatching(/a:1: .*\n.*b:2: /) as string,
    })
  })

  it('does not send a write twice that may have arrived', async () => {
    const { api, urls } = setUp(() => ({ fails: 'ECONNRESET' }), ['http://a:1', 'http://b:2'])
    await expect(api.call('register', { body: { instances: [] } })).rejects.toMatchObject({ code: 'timeout' })
    expect(urls()).toHaveLength(1)
    await expect(allServices(api, {})).rejects.toMatchObject({ code: 'unreachable' })
    expect(urls()).toHaveLength(3)
  })

  it('leaves each node its share of the time', async () => {
    const { api, shell, urls } = setUp(
      ({ url }) => (url.startsWith('http://a') ? 'hang' : EMPTY),
      ['http://a:1', 'http://b:2'],
    )
    const call = allServices(api, {})
    shell.clock.advance(499)
    expect(urls()).toHaveLength(1)
    shell.clock.advance(1)
    expect(await call).toEqual([])
    expect(shell.clock.timers.length).toBe(0)
  })

  it('gives up in time', async () => {
    const { api, shell } = setUp(() => 'hang')
    const call = allServices(api, {})
    shell.clock.advance(1_000)
    await expect(call).rejects.toMatchObject({
      code: 'timeout',
      message: 'no answer from http://a:1 within 1000 ms',
    })
  })
})
