/** The header that tells how long a caller waits. */
import { describe, expect, it } from 'vitest'
import { callerTimeoutMs, withTimeout } from './timeout-header.js'

describe('the header of the deadline', () => {
  it('is read back as it was written', () => {
    const headers = withTimeout({ accept: 'text/plain' }, 'x-rollcall-timeout-ms', 1_234.2)
    expect(callerTimeoutMs(headers)).toBe(1_235)
    expect(callerTimeoutMs(new Headers(headers))).toBe(1_235)
  })

  it('is left out without a deadline, when it is not wanted, and where the caller has set it', () => {
    expect(withTimeout({}, 'x-left', undefined)).toEqual({})
    expect(withTimeout({}, false, 5)).toEqual({})
    expect(withTimeout({ 'x-left': '9' }, 'X-Left', 5)).toEqual({ 'x-left': '9' })
  })

  it.each([[undefined], [''], ['-1'], ['1e3'], ['1.5'], ['99999999'], ['123456789'], ['soon'], [['1', '2']]])(
    '%j is no deadline',
    (value) => {
      expect(callerTimeoutMs({ 'x-rollcall-timeout-ms': value as string })).toBeUndefined()
    },
  )
})
