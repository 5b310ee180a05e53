/** HTTP calls against real servers of this process. */
import { Readable } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { Instance } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '@rollcall/wire'
import { HandClock } from '@rollcall/testkit/time'
import { instance } from '../clusters/stage.fixture.js'
import type { FetchDeps, FetchInit } from './fetch.js'
import { fetchFrom } from './fetch.js'
import { startDeadline } from './deadline.js'
import type { OutgoingRequest, RequestFailure } from './requester.js'
import type { CallTarget } from './run.js'
import { runCall } from './run.js'
import type { CallOutcome } from '../machine/events.js'

const [A, B, C] = ['a', 'b', 'c'].map((id, port) => instance(id, { port: port + 1 })) as [
  Instance,
  Instance,
  Instance,
]
const REFUSED: RequestFailure = { phase: 'connect', reused: false, error: new Error('ECONNREFUSED') }
const RESET: RequestFailure = { phase: 'sent', reused: false, error: new Error('ECONNRESET') }
const STALE: RequestFailure = { phase: 'sent', reused: true, error: new Error('ECONNRESET') }

function message(status: number, text = '', headers: string[] = []): IncomingMessage {
  const stream: Readable = Readable.from(text === '' ? [] : [Buffer.from(text)])
  return Object.assign(stream, {
    statusCode: status,
    statusMessage: 'fine',
    rawHeaders: headers,
  }) as unknown as IncomingMessage
}

/** Calls against scripted outcomes: one per attempt. */
async function run(
  outcomes: (RequestFailure | IncomingMessage)[],
  init: FetchInit = {},
  list: Instance[] = [A, B, C],
  given: { retries?: number } = {},
) {
  const attempts: OutgoingRequest[] = []
  const failed: string[] = []
  const succeeded: string[] = []
  const clock = new HandClock()
  let retries = given.retries ?? Infinity
  const target: CallTarget = {
    service: 'orders',
    begin(tried) {
      const found = list.find((item) => !tried.has(item))
      if (found === undefined) return undefined
      const end = (outcome?: CallOutcome): void => {
        if (outcome === 'success') succeeded.push(found.id)
        else if (outcome !== undefined)
          failed.push(outcome === 'unreachable' ? found.id : `${found.id} ${outcome}`)
      }
      return { instance: found, end }
    },
    another: (tried) => list.some((item) => !tried.has(item)),
    mayRetry: () => retries-- > 0,
    hedgeAfterMs: () => undefined,
    none: () => new RegistryError('no_instances', 'none'),
  }
  const requester = {
    send(request: OutgoingRequest) {
      attempts.push(request)
      const outcome = outcomes.shift()
      return outcome === undefined
        ? Promise.reject(new Error('one attempt too many'))
        : Promise.resolve(outcome)
    },
    retain() {},
    close() {},
  }
  const deps: FetchDeps = {
    requester,
    call: (work, options) => runCall(clock, target, startDeadline(clock, 'orders', options), work, options),
    broken: (item) => void failed.push(`${item.id} broken`),
  }
  const outcome = await fetchFrom(deps, '/x?y=1', init).then(
    (response) => ({ response, error: undefined }),
    (error: unknown) => ({ response: undefined, error: error as { code: string; details?: unknown } }),
  )
  return { ...outcome, attempts, tried: attempts.map((attempt) => attempt.instance.id), failed, succeeded }
}

describe('fetch', () => {
  it('gives a standard response', async () => {
    const { response } = await run([
      message(200, '{"ok":true}', [
        'content-type',
        'application/json',
        'set-cookie',
        'a=1',
        'set-cookie',
        'b=2',
      ]),
    ])
    expect(response).toBeInstanceOf(Response)
    expect(response?.status).toBe(200)
    expect(response?.url).toBe('http://10.0.0.1:1/x?y=1')
    expect(response?.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response?.json()).toEqual({ ok: true })
  })

  it.each([204, 304])('gives %i without a body', async (status) => {
    const { response } = await run([message(status)])
    expect(response?.status).toBe(status)
    expect(response?.body).toBeNull()
  })

  it.each([600, 999, 42])('gives %i as it came', async (status) => {
    const { response } = await run([message(status, 'text')])
    const copy = response!.clone()
    for (const given of [response!, copy]) {
      expect(given).toMatchObject({ status, ok: false, statusText: 'fine', url: 'http://10.0.0.1:1/x?y=1' })
      expect(await given.text()).toBe('text')
    }
  })

  it('releases an answer that is none', async () => {
    const answer = message(200, 'text', ['no name', 'x'])
    expect((await run([answer])).error).toBeInstanceOf(Error)
    expect(answer.destroyed).toBe(true)
  })

  it('does not touch answers, whatever their status', async () => {
    const { response, tried } = await run([message(503, 'busy')])
    expect(response?.status).toBe(503)
    expect(tried).toEqual(['a'])
  })

  it('fails over to another instance when the connection is refused, whatever the method', async () => {
    const { response, tried, failed } = await run([REFUSED, REFUSED, message(200)], {
      method: 'POST',
      body: 'x',
    })
    expect(response?.status).toBe(200)
    expect(tried).toEqual(['a', 'b', 'c'])
    expect(failed).toEqual(['a', 'b'])
  })

  it('does not repeat what may have been executed', async () => {
    const { error, tried } = await run([RESET], { method: 'POST', body: 'x' })
    expect(error).toMatchObject({ code: 'unreachable', details: { phase: 'sent' } })
    expect(tried).toEqual(['a'])
  })

  it('repeats it where the method or the caller allows', async () => {
    expect((await run([RESET, message(200)], { method: 'GET' })).tried).toEqual(['a', 'b'])
    expect((await run([RESET, message(200)], { method: 'POST', idempotent: true })).tried).toEqual(['a', 'b'])
    expect((await run([RESET], { method: 'GET', idempotent: false })).tried).toEqual(['a'])
    expect((await run([REFUSED], { attempts: 1 })).error?.code).toBe('unreachable')
  })

  it('retries a stale kept-alive connection on a new one to the same instance, and blames none', async () => {
    const { tried, attempts, failed } = await run([STALE, message(200)])
    expect(tried).toEqual(['a', 'a'])
    expect(attempts.map((attempt) => attempt.fresh)).toEqual([false, true])
    expect(failed).toEqual([])
  })

  it('blames no instance for an idle connection that broke under a POST', async () => {
    const { error, failed } = await run([STALE], { method: 'POST', body: 'x' })
    expect(error?.code).toBe('unreachable')
    expect(failed).toEqual([])
  })

  it('never replays a stream that was sent', async () => {
    const stream = { body: Readable.from(['x']), method: 'PUT', idempotent: true } as const
    expect((await run([RESET], stream)).error?.code).toBe('unreachable')
    expect((await run([REFUSED, message(200)], { ...stream, body: Readable.from(['x']) })).tried).toEqual([
      'a',
      'b',
    ])
  })

  it('tries at most three instances, or as many as it is told', async () => {
    const four = [A, B, C, instance('d', { port: 4 })]
    expect((await run([REFUSED, REFUSED, REFUSED], {}, four)).tried).toEqual(['a', 'b', 'c'])
    expect((await run([REFUSED], { attempts: 1 }, four)).tried).toEqual(['a'])
    expect((await run([REFUSED, REFUSED], {}, [A, B])).error?.code).toBe('unreachable')
  })

  it('goes past any number of refusals, which cost no time, to the one that lives', async () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((id, index) => instance(id, { port: index + 1 }))
    const refusal: RequestFailure = {
      phase: 'connect',
      reused: false,
      error: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    }
    const refusals = Array.from({ length: 5 }, () => refusal)
    expect((await run([...refusals, message(200)], {}, many)).tried).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect((await run([refusal, refusal], { attempts: 2 }, many)).tried).toEqual(['a', 'b'])
  })

  it('repeats no more than the budget allows, and says so', async () => {
    const { error, tried } = await run([REFUSED, REFUSED], {}, [A, B, C], { retries: 1 })
    expect(tried).toEqual(['a', 'b'])
    expect(error).toMatchObject({
      code: 'unreachable',
      details: { limited: true, tried: ['10.0.0.1:1', '10.0.0.1:2'] },
    })
    const last = await run([REFUSED], {}, [A], { retries: 0 })
    expect(last.error?.details).not.toHaveProperty('limited')
  })

  it('counts answers against an instance only where it is told which', async () => {
    const plain = await run([message(503)])
    expect([plain.succeeded, plain.failed]).toEqual([['a'], []])
    const failOn = (status: number): boolean => status >= 500
    const strict = await run([message(503)], { failOn })
    expect([strict.succeeded, strict.failed]).toEqual([[], ['a failure']])
    expect(strict.response?.status).toBe(503)
    expect((await run([message(404)], { failOn })).succeeded).toEqual(['a'])
  })

  it('refuses a time that is none', async () => {
    expect((await run([], { connectTimeoutMs: Number.NaN })).error).toMatchObject({
      code: 'invalid_argument',
      field: 'connectTimeoutMs',
    })
  })

  it.each<readonly [string, FetchInit]>([
    ['timeoutHeader', { timeoutHeader: 'a b' }],
    ['method', { method: 'GE T' }],
    ['headers', { headers: { 'x-name': 'Ł' } }],
  ])('refuses a bad %s before any attempt, and lets go of the stream', async (field, init) => {
    const body = Readable.from(['x'])
    const { error, tried } = await run([], { method: 'POST', body, ...init })
    expect([error, tried]).toMatchObject([{ code: 'invalid_argument', field }, []])
    expect(body.destroyed).toBe(true)
  })

  it('has a typed error where only the attempt can know, and blames no instance', async () => {
    const failure = Object.assign(new Error('Invalid character'), { code: 'ERR_INVALID_CHAR' })
    const outcome: RequestFailure = { phase: 'connect', reused: false, error: failure }
    const { error, tried, failed } = await run([outcome])
    expect([error?.code, tried, failed]).toEqual(['invalid_argument', ['a'], []])
  })

  it('asks again elsewhere for answers it is told to, and hands over the last', async () => {
    const retryOn = (status: number): boolean => status === 503
    const found = await run([message(503), message(503), message(200)], { retryOn })
    expect([found.tried, found.response?.status]).toEqual([['a', 'b', 'c'], 200])
    const last = await run([message(503), message(503)], { retryOn }, [A, B])
    expect([last.tried, last.response?.status]).toEqual([['a', 'b'], 503])
    const post = await run([message(503)], { retryOn, method: 'POST' })
    expect([post.tried, post.response?.status]).toEqual([['a'], 503])
  })

  it('says so when there is no instance', async () => {
    expect((await run([], {}, [])).error?.code).toBe('no_instances')
  })

  it('describes its body', async () => {
    const text = await run([message(200)], { method: 'post', body: 'grüße' })
    expect(text.attempts[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-length': '7', 'content-type': 'text/plain;charset=UTF-8' },
    })
    const given = await run([message(200)], {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json' },
    })
    expect(given.attempts[0]?.headers).toMatchObject({ 'content-type': 'application/json' })
    const form = await run([message(200)], { method: 'POST', body: new URLSearchParams({ a: '1' }) })
    expect(form.attempts[0]?.body).toEqual(Buffer.from('a=1'))
  })

  it('ends as aborted, not as a failed attempt', async () => {
    const controller = new AbortController()
    controller.abort()
    const { error, failed } = await run([REFUSED], { signal: controller.signal })
    expect(error?.code).toBe('aborted')
    expect(failed).toEqual([])
  })
})

describe('fail-over rule', () => {
  it('has an answer for every case', async () => {
    const rows: string[] = []
    for (const phase of ['connect', 'sent'] as const)
      for (const reused of [false, true])
        for (const method of ['GET', 'POST'])
          for (const replayable of [false, true]) {
            const failure: RequestFailure = { phase, reused, error: new Error('broke') }
            const body =
              method === 'GET' && replayable ? {} : { body: replayable ? 'x' : Readable.from(['x']) }
            const { tried } = await run([failure, message(200)], { method, ...body })
            const step = tried.length === 1 ? 'stop' : tried[1] === 'a' ? 'again' : 'elsewhere'
            rows.push(
              `${phase} ${reused ? 'reused' : 'new'} ${method} ${replayable ? 'replayable' : 'stream'}: ${step}`,
            )
          }
    expect(rows).toEqual([
      'connect new GET stream: elsewhere',
      'connect new GET replayable: elsewhere',
      'connect new POST stream: elsewhere',
      'connect new POST replayable: elsewhere',
      'connect reused GET stream: elsewhere',
      'connect reused GET replayable: elsewhere',
      'connect reused POST stream: elsewhere',
      'connect reused POST replayable: elsewhere',
      'sent new GET stream: stop',
      'sent new GET replayable: elsewhere',
      'sent new POST stream: stop',
      'sent new POST replayable: stop',
      'sent reused GET stream: stop',
      'sent reused GET replayable: again',
      'sent reused POST stream: stop',
      'sent reused POST replayable: stop',
    ])
  })
})
