/** What is no JSON is refused in few words. */
import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json.js'

describe('reading JSON', () => {
  const code = (bytes: Buffer): unknown => {
    try {
      return parseJson(bytes)
    } catch (error) {
      return isRegistryError(error) ? [error.code, error.message.length < 200] : error
    }
  }

  it('refuses what is not JSON or not UTF-8, without repeating all of it', () => {
    expect(code(Buffer.from('{"a":1}'))).toEqual({ a: 1 })
    for (const bytes of [
      Buffer.from(''),
      Buffer.from('{'),
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.from('['.repeat(100_000)),
      Buffer.from(`{"${'x'.repeat(9_000)}`),
    ]) {
      expect(code(bytes)).toEqual(['malformed', true])
    }
  })
})
