import { describe, expect, it } from 'vitest'
import { ViewCache } from './view-cache.js'

describe('the cache of encoded views', () => {
  it('serves a view while its sign is the same, and for a second', () => {
    const cache = new ViewCache(1_000)
    cache.set('n/s', 'A', 100, 'body')
    expect(cache.get('n/s', 'A', 1_099)).toBe('body')
    expect(cache.get('n/s', 'A', 1_100)).toBeUndefined()
    expect(cache.get('n/s', 'B', 100)).toBeUndefined()
    expect(cache.get('n/t', 'A', 100)).toBeUndefined()
  })

  it('keeps small bodies as text and large ones as bytes', () => {
    const cache = new ViewCache(100_000)
    expect(cache.set('a', 'A', 0, 'x'.repeat(4_096))).toBeTypeOf('string')
    expect(cache.set('b', 'A', 0, 'x'.repeat(4_097))).toBeInstanceOf(Buffer)
  })

  it('stays within its bytes by dropping the oldest', () => {
    const cache = new ViewCache(250)
    for (const key of ['a', 'b', 'c']) cache.set(key, 'A', 0, 'x'.repeat(100))
    expect(cache.bytes).toBeLessThanOrEqual(250)
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 'A', 0) !== undefined)).toEqual([false, true, true])
    cache.set('b', 'B', 0, 'y')
    cache.set('b', 'C', 0, 'z')
    expect(cache.bytes).toBe(101 + 2)
    expect(cache.set('d', 'A', 0, 'x'.repeat(300))).toHaveLength(300)
    expect(cache.get('d', 'A', 0)).toBeUndefined()
    expect(cache.get('c', 'A', 0)).toBeDefined()
  })
})
