/** What errors of sockets and libraries mean. */
import { describe, expect, it } from 'vitest'
import { isRefusal, judgeError } from './judgement.js'

const error = (fields: object, cause?: unknown): Error =>
  Object.assign(new Error('failed', cause === undefined ? undefined : { cause }), fields)

describe('what an error means', () => {
  it.each([
    ['a refused connection', error({ code: 'ECONNREFUSED', syscall: 'connect' }), 'unreachable', 'always'],
    ['one that timed out', error({ code: 'ETIMEDOUT', syscall: 'connect' }), 'unreachable', 'always'],
    [
      'one that timed out later on',
      error({ code: 'ETIMEDOUT', syscall: 'read' }),
      'unreachable',
      'idempotent',
    ],
    ['or while sending', error({ code: 'ETIMEDOUT', syscall: 'write' }), 'unreachable', 'idempotent'],
    ['or at an unknown step', error({ code: 'ETIMEDOUT' }), 'unreachable', 'idempotent'],
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
    [
      "undici's parser, without a code",
      error({}, error({ name: 'HTTPParserError' })),
      'unreachable',
      'idempotent',
    ],
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

  const refused = (syscall: string, code: string): Error => error({ code, syscall })
  const several = (...errors: Error[]): Error =>
    Object.assign(new AggregateError(errors), { code: (errors[0] as { code?: string }).code })
  it.each([
    [
      'of which no address can be reached',
      several(refused('connect', 'ETIMEDOUT'), refused('connect', 'EHOSTUNREACH')),
      'unreachable',
      'always',
    ],
    [
      'below an error of fetch',
      error({}, several(refused('connect', 'ETIMEDOUT'), refused('connect', 'ENETUNREACH'))),
      'unreachable',
      'always',
    ],
    [
      'of which one address took something',
      several(refused('connect', 'ETIMEDOUT'), refused('read', 'ECONNRESET')),
      'unreachable',
      'idempotent',
    ],
    [
      'of which one says what is not known',
      several(refused('connect', 'ETIMEDOUT'), error({})),
      undefined,
      'never',
    ],
  ])('a name %s', (_name, given, outcome, retry) => {
    const judgement = judgeError(given)
    expect([judgement.outcome, judgement.retry]).toEqual([outcome, retry])
  })

  it.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('%s: the handshake failed, and nothing was sent', (code) => {
    expect(judgeError(error({}, error({ code })))).toEqual({ outcome: 'unreachable', retry: 'always' })
  })

  it.each(['HPE_INVALID_CONSTANT', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'])(
    '%s: another program answers there than the one that was meant',
    (code) => {
      expect(judgeError(error({}, error({ code })))).toEqual({ outcome: 'unreachable', retry: 'idempotent' })
    },
  )

  describe('where it is known that no response began', () => {
    it.each([
      ['without a connection nothing was sent', error({ code: 'WHATEVER' }), 'connect', 'always'],
      ['nor when it broke', error({ code: 'ECONNRESET', syscall: 'read' }), 'connect', 'always'],
      ['what was sent may have been executed', error({ code: 'WHATEVER' }), 'sent', 'idempotent'],
      ['whatever the code says', error({ code: 'ECONNREFUSED' }), 'sent', 'idempotent'],
    ] as const)('%s', (_name, given, phase, retry) => {
      expect(judgeError(given, phase)).toEqual({ outcome: 'unreachable', retry })
    })

    it('what came too late still did', () => {
      expect(judgeError(error({ code: 'UND_ERR_HEADERS_TIMEOUT' }), 'sent').outcome).toBe('timeout')
    })

    it.each(['ERR_INVALID_CHAR', 'ERR_UNESCAPED_CHARACTERS', 'UND_ERR_INVALID_ARG', 'ABORT_ERR'])(
      '%s is the own doing of the caller',
      (code) => {
        expect(judgeError(error({ code }), 'connect')).toEqual({ retry: 'never' })
      },
    )
  })

  it('does not follow causes for ever', () => {
    const looped = error({})
    looped.cause = looped
    expect(judgeError(looped).retry).toBe('never')
    expect(isRefusal(looped)).toBe(false)
    expect(isRefusal(error({}, error({ code: 'ECONNREFUSED' })))).toBe(true)
    const inItself = new AggregateError([])
    inItself.errors.push(inItself)
    expect(judgeError(inItself).retry).toBe('never')
  })

  it('is a refusal only if all addresses refused', () => {
    const refusal = error({ code: 'ECONNREFUSED' })
    expect(isRefusal(several(refusal, refusal))).toBe(true)
    expect(isRefusal(several(refusal, error({ code: 'ETIMEDOUT' })))).toBe(false)
  })
})
