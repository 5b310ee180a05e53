/** What errors of sockets and libraries mean. */
import { describe, expect, it } from 'vitest'
import { isRefusal, judgeError } from './judgement.js'

const error = (fields: object, cause?: unknown): Error =>
  Object.assign(new Error('failed', cause === undefined ? undefined : { cause }), fields)

describe('what an error means', () => {
  it.each([
    ['a refused connection', error({ code: 'ECONNREFUSED', syscall: 'connect' }), 'unreachable', 'always'],
    ['one that timed out', error({ code: 'ETIMEDOUT', syscall: 'connect' }), 'unreachable', 'always'],
    ['an unknown name', error({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }), 'unreachable', 'always'],
    ['undici, deep below', error({}, error({ code: 'UND_ERR_CONNECT_TIMEOUT' })), 'unreachable', 'always'],
    ['a reset', error({ code: 'ECONNRESET', syscall: 'read' }), 'unreachable', 'idempotent'],
    [
      'an unreachable host later on',
      error({ code: 'EHOSTUNREACH', syscall: 'read' }),
      'unreachable',
      'idempotent',
    ],
    ['undici, socket closed', error({}, error({ code: 'UND_ERR_SOCKET' })), 'unreachable', 'idempotent'],
    ['no headers in time', error({ code: 'UND_ERR_HEADERS_TIMEOUT' }), 'timeout', 'idempotent'],
    ['a signal of its own', error({ name: 'TimeoutError' }), 'timeout', 'idempotent'],
    ['an answer', error({ code: 'ERR_BAD_REQUEST' }), undefined, 'never'],
    ['a code of the prototype', error({ code: 'toString' }), undefined, 'never'],
    ['a text', 'nope', undefined, 'never'],
    ['nothing', undefined, undefined, 'never'],
  ])('%s', (_name, given, outcome, retry) => {
    const judgement = judgeError(given)
    expect([judgement.outcome, judgement.retry]).toEqual([outcome, retry])
  })

  it('does not follow causes for ever', () => {
    const looped = error({})
    looped.cause = looped
    expect(judgeError(looped).retry).toBe('never')
    expect(isRefusal(looped)).toBe(false)
    expect(isRefusal(error({}, error({ code: 'ECONNREFUSED' })))).toBe(true)
  })
})
