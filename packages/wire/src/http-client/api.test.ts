/** The client of the route table: URLs, bodies, errors and bounds, against a network that is a function. */
import { describe, expect, it } from 'vitest'
import { isRegistryError } from '../errors.js'
import { createApi, isRead, type Api, type HttpAnswer } from './api.js'

interface Seen {
  readonly url: string
  readonly init: {
    readonly method: string
    readonly headers: object
    readonly body?: string
    readonly signal?: string
  }
}

/** An answer in pieces of three bytes, so that characters are torn. */
function answerOf(text: string, status = 200): HttpAnswer & { readonly cancelled: () => boolean } {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  let cancelled = false
  const reader = {
    read: () => {
      const value = at < bytes.length ? bytes.subarray(at, at + 3) : undefined
      at += 3
      return Promise.resolve({ done: value === undefined, value })
    },
    cancel: () => {
      cancelled = true
      return Promise.resolve()
    },
  }
  return {
    ok: status < 300,
    status,
    headers: { get: () => 'text/html' },
    body: { getReader: () => reader },
    cancelled: () => cancelled,
  }
}

function setUp(
  answer: HttpAnswer | (() => HttpAnswer),
  answerBytesMax?: number,
): { api: Api<string>; seen: Seen[] } {
  const seen: Seen[] = []
  const options = answerBytesMax === undefined ? {} : { answerBytesMax }
  const api = createApi<string>(
    (url, init) => {
      seen.push({ url, init })
      return Promise.resolve(typeof answer === 'function' ? answer() : answer)
    },
    { base: 'http://a:1', ...options },
  )
  return { api, seen }
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    return isRegistryError(error) ? [error.code, error.message, error.field, error.details] : error
  }
}

describe('a call', () => {
  it('escapes names in paths and writes each parameter as the node reads it', async () => {
    const { api, seen } = setUp(() => answerOf('{}'))
    await failure(
      api.call('getInstance', { service: 'a/b', id: '$&[::1]:80', group: 'g h', namespace: undefined }),
    )
    await failure(
      api.call('getService', { service: 'x', state: ['up', 'suspect'], wait: 1_500, since: 'ab' }),
    )
    await failure(api.call('listEvents', { follow: false, after: 0, kind: ['frozen'] }))
    await failure(api.call('listNamespaces', {}))
    expect(seen.map(({ url }) => url)).toEqual([
      'http://a:1/api/v1/services/a%2Fb/instances/%24%26%5B%3A%3A1%5D%3A80?group=g%20h',
      'http://a:1/api/v1/services/x?state=up%2Csuspect&since=ab&wait=1500ms',
      'http://a:1/api/v1/events?kind=frozen&after=0&follow=false',
      'http://a:1/api/v1/namespaces',
    ])
    expect(seen[0]?.init).toEqual({ method: 'GET', headers: { accept: 'application/json' } })
  })

  it('sends a body as JSON, and the signal of its caller', async () => {
    const { api, seen } = setUp(answerOf('{"results":[]}'))
    const body = { instances: [{ service: 's', host: 'h', port: 1 }] }
    expect(await api.call('register', { durability: 'disk', body }, { signal: 'stop' })).toEqual({
      results: [],
    })
    expect(seen).toEqual([
      {
        url: 'http://a:1/api/v1/register?durability=disk',
        init: {
          method: 'POST',
          headers: { accept: 'application/json', 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: 'stop',
        },
      },
    ])
  })

  it('takes what the operation takes, and nothing else', () => {
    const { api } = setUp(answerOf('{}'))
    const calls = (): unknown => [
      // @ts-expect-error a parameter that must be there
      api.call('getService', {}),
      // @ts-expect-error one that the operation does not have
      api.call('listFreezes', { namespace: 'a' }),
      // @ts-expect-error a body that must be there
      api.call('freeze', {}),
      // @ts-expect-error a word that the contract does not have
      api.call('getService', { service: 'a', state: ['asleep'] }),
      // @ts-expect-error a stream
      api.call('watch', { service: [] }),
    ]
    expect(calls).toBeTypeOf('function')
    expect([isRead('getService'), isRead('register')]).toEqual([true, false])
  })
})

describe('an answer', () => {
  it('is read whole, whatever its pieces', async () => {
    const { api } = setUp(answerOf('{"freezes":[{"namespace":"größer 🙂","ageMs":1}]}'))
    expect(await api.call('listFreezes', {})).toEqual({ freezes: [{ namespace: 'größer 🙂', ageMs: 1 }] })
  })

  it('that is an error is thrown, with field and details', async () => {
    const error = { code: 'needs_confirmation', message: 'many', field: 'confirm', details: { n: 5 } }
    const { api } = setUp(answerOf(JSON.stringify({ error, removed: [] }), 409))
    expect(await failure(api.call('deregister', { body: { host: 'h' } }))).toEqual([
      'needs_confirmation',
      'many',
      'confirm',
      { n: 5 },
    ])
  })

  it('with a result for each item is an answer, also where all failed', async () => {
    const results = [{ ok: false, error: { code: 'id_taken', message: 'taken' } }]
    const { api } = setUp(answerOf(JSON.stringify({ error: results[0]?.error, results }), 409))
    expect(await api.call('register', { body: { instances: [] } })).toMatchObject({ results })
  })

  it.each([
    ['hello', 200],
    ['{"error":"Not Found"}', 404],
    ['{"error":{"code":"toString","message":"x"}}', 500],
    ['', 502],
    ['null', 200],
    ['{}', 200],
    ['{"namespaces":[{"namespace":"a","services":"many","instances":1}]}', 200],
  ])('of something else than a registry is said to be one: %s', async (text, status) => {
    const { api } = setUp(answerOf(text, status))
    expect(await failure(api.call('listNamespaces', {}))).toEqual([
      'protocol',
      `http://a:1/api/v1/namespaces does not answer like a registry (HTTP ${status}, text/html)`,
      undefined,
      undefined,
    ])
  })

  it('of a newer node may say more', async () => {
    const { api } = setUp(answerOf('{"freezes":[],"until":"tomorrow"}'))
    expect(await api.call('listFreezes', {})).toMatchObject({ freezes: [] })
  })

  it('that knows no such path says which was asked for', async () => {
    const error = { code: 'unknown_path', message: 'there is nothing at this path' }
    const { api } = setUp(answerOf(JSON.stringify({ error }), 404))
    expect(await failure(api.call('listNamespaces', {}))).toEqual([
      'unknown_path',
      'there is nothing at this path (asked for http://a:1/api/v1/namespaces)',
      undefined,
      undefined,
    ])
  })

  it('that is too long is not held', async () => {
    const answer = answerOf(JSON.stringify({ namespaces: ['x'.repeat(1_000)] }))
    const { api } = setUp(answer, 100)
    expect(await failure(api.call('listNamespaces', {}))).toEqual([
      'protocol',
      'the answer of http://a:1 is longer than 100 bytes',
      undefined,
      undefined,
    ])
    expect(answer.cancelled()).toBe(true)
  })
})
