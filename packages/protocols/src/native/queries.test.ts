import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { Query } from '../http/exchange.js'
import {
  durabilityOf,
  listQueryOf,
  lookupQueryOf,
  parseSpan,
  signOfTag,
  tagOf,
  watchedOf,
} from './queries.js'

const SIGN = '0123456789abcdef'

function fieldOf(action: () => unknown): string | undefined {
  try {
    action()
  } catch (error) {
    if (isRegistryError(error)) return error.field
  }
  return 'nothing was refused'
}

describe('wait', () => {
  it('is milliseconds, seconds, or a number of seconds', () => {
    for (const [text, ms] of [
      ['500ms', 500],
      ['30s', 30_000],
      ['5', 5_000],
      ['0', 0],
      ['1.5s', 1_500],
      ['60s', 60_000],
      ['60000ms', 60_000],
    ] as const) {
      expect(parseSpan(text, 60_000, 'wait')).toBe(ms)
    }
  })

  it('is bounded and nothing else', () => {
    for (const text of ['61s', '60001ms', '61', '-1s', '1m', 's', '1e3', ' 5', '5 s', '0x5', 'Infinity']) {
      expect([text, fieldOf(() => parseSpan(text, 60_000, 'wait'))]).toEqual([text, 'wait'])
    }
  })

  it('is announced as `every` by who polls', () => {
    expect(lookupQueryOf('orders', { every: '10s' }, undefined, 1).everyMs).toBe(10_000)
    expect(fieldOf(() => lookupQueryOf('orders', { every: '601s' }, undefined, 1))).toBe('every')
  })

  it('needs a sign to wait on', () => {
    const lookup = (query: Query, tag?: string): unknown => lookupQueryOf('orders', query, tag, 60_000)
    expect(fieldOf(() => lookup({ wait: '1s' }))).toBe('wait')
    expect(lookup({ wait: '1s' }, SIGN)).toMatchObject({ waitMs: 1_000 })
    expect(lookup({ wait: '1s', since: SIGN })).toMatchObject({ waitMs: 1_000, since: SIGN })
    expect(fieldOf(() => listQueryOf({ wait: '1s' }, undefined, 60_000))).toBe('wait')
  })
})

describe('queries', () => {
  it('are read with their defaults', () => {
    expect(lookupQueryOf('orders', {}, undefined, 1)).toEqual({
      name: { namespace: 'default', service: 'orders' },
      since: undefined,
      waitMs: undefined,
      everyMs: undefined,
      filter: undefined,
    })
    expect(listQueryOf({ prefix: 'a', after: 'x/y', limit: '5' }, undefined, 1)[0]).toEqual({
      limit: 5,
      prefix: 'a',
      after: 'x/y',
    })
    expect(durabilityOf({ durability: 'disk' })).toBe('disk')
  })

  it('name the parameter that is wrong', () => {
    const lookup = (query: Query): string | undefined =>
      fieldOf(() => lookupQueryOf('orders', query, SIGN, 60_000))
    expect(lookup({ namespace: ['a', 'b'] })).toBe('namespace')
    expect(lookup({ group: '/' })).toBe('group')
    expect(lookup({ since: 'x' })).toBe('since')
    expect(lookup({ state: 'up,,down' })).toBe('state')
    expect(lookup({ zone: 'a b' })).toBe('zone')
    expect(lookup({ state: 'up', since: SIGN })).toBe('state')
    expect(lookup({ zone: 'a', wait: '1s' })).toBe('zone')
    for (const limit of ['0', '10001', '1.5', '-1', 'x', '1e3']) {
      expect(fieldOf(() => listQueryOf({ limit }, undefined, 1))).toBe('limit')
    }
  })

  it('watch each view once, and so many at most', () => {
    expect(watchedOf({ service: ['a', 'b:core', 'a'], namespace: 'n' }, 3)).toEqual([
      { namespace: 'n', service: 'a' },
      { namespace: 'n', service: 'b', group: 'core' },
    ])
    expect(fieldOf(() => watchedOf({}, 3))).toBe('service')
    expect(fieldOf(() => watchedOf({ service: ['a', 'b', 'c', 'd'] }, 3))).toBe('service')
    expect(fieldOf(() => watchedOf({ service: 'a:' }, 3))).toBe('group')
  })
})

describe('tags', () => {
  it('carry the sign, and what is no such tag is ignored', () => {
    expect(signOfTag(tagOf(SIGN))).toBe(SIGN)
    expect(signOfTag(`"${SIGN}"`)).toBe(SIGN)
    for (const text of [undefined, '', '*', SIGN, 'W/"x"', `W/"${SIGN}", "b"`])
      expect(signOfTag(text)).toBeUndefined()
  })
})
