/** Headers are added to those of a request, in every form. */
import { describe, expect, it } from 'vitest'
import { withHeaders } from './headers.js'

describe('headers are added', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object', { 'X-Own': 'kept', list: ['a', 'b'] }],
    ['a flat list', ['X-Own', 'kept', 'list', 'a']],
    ['pairs', new Map([['X-Own', 'kept']])],
  ] as const)('to %s', (_form, given) => {
    const flat = withHeaders(given as Parameters<typeof withHeaders>[0], { trace: '1', 'x-own': 'lost' })
    const names = (flat as unknown[]).filter((_, index) => index % 2 === 0)
    const own = given === undefined || given === null
    expect(names.at(-1)).toBe(own ? 'x-own' : 'trace')
    expect(flat).toContain('1')
    if (!own) expect(flat).not.toContain('lost')
  })

  it('and nothing is touched when there are none', () => {
    const given = { a: 'b' }
    expect(withHeaders(given, {})).toBe(given)
    expect(withHeaders(undefined, {})).toBe(null)
  })
})
