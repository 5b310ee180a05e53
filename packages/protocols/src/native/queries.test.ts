/** What the parameters of an operation mean together. */
import { NO_METER } from '@rollcall/core'
import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import {
  inNamespace,
  instanceKeyOf,
  listQueryOf,
  lookupQueryOf,
  servicesQueryOf,
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

describe('a lookup', () => {
  const lookup = (parameters: object, tag?: string): unknown =>
    lookupQueryOf({ service: 'orders', ...parameters }, tag)

  it('has its defaults', () => {
    expect(lookup({})).toEqual({
      name: { namespace: 'default', service: 'orders' },
      since: undefined,
      waitMs: undefined,
      everyMs: undefined,
      filter: undefined,
    })
    expect(instanceKeyOf({ service: 'orders', id: 'a' })).toEqual({
      namespace: 'default',
      service: 'orders',
      group: 'default',
      id: 'a',
    })
  })

  it('needs a sign to wait on', () => {
    expect(fieldOf(() => lookup({ wait: 1_000 }))).toBe('wait')
    expect(lookup({ wait: 1_000 }, SIGN)).toMatchObject({ waitMs: 1_000 })
    expect(lookup({ wait: 1_000, since: SIGN })).toMatchObject({ waitMs: 1_000, since: SIGN })
    expect(fieldOf(() => listQueryOf({ wait: 1_000 }, undefined))).toBe('wait')
  })

  it('filters whole lists only', () => {
    expect(lookup({ state: ['up'], zone: 'a' })).toMatchObject({ filter: { states: ['up'], zone: 'a' } })
    expect(fieldOf(() => lookup({ state: ['up'], since: SIGN }))).toBe('state')
    expect(fieldOf(() => lookup({ zone: 'a', wait: 1_000 }, SIGN))).toBe('zone')
  })
})

describe('queries', () => {
  it('of services have a default size, over HTTP and on the stream', () => {
    expect(listQueryOf({ prefix: 'a', after: 'x/y', limit: 5 }, undefined)[0]).toEqual({
      limit: 5,
      prefix: 'a',
      after: 'x/y',
    })
    expect(listQueryOf({}, undefined)[0]).toEqual({ limit: 1_000 })
    expect(servicesQueryOf({ prefix: 'a' })).toEqual({ prefix: 'a', limit: 1_000 })
    for (const limit of [0, 10_001, 1.5, -1]) expect(fieldOf(() => servicesQueryOf({ limit }))).toBe('limit')
    expect(fieldOf(() => servicesQueryOf({ namespace: 'a b' }))).toBe('namespace')
  })

  it('watch each view once, and so many at most', () => {
    const service = [{ service: 'a' }, { service: 'b', group: 'core' }, { service: 'a' }]
    expect(watchedOf({ service, namespace: 'n' }, 3, NO_METER)).toEqual([
      { namespace: 'n', service: 'a' },
      { namespace: 'n', service: 'b', group: 'core' },
    ])
    const counted: unknown[] = []
    const meter = { ...NO_METER, count: (...args: unknown[]) => void counted.push(args) }
    const more = (): unknown => watchedOf({ service: [...service, { service: 'd' }] }, 3, meter)
    expect(fieldOf(more)).toBe('service')
    expect(counted).toEqual([['rollcall_limit_refusals_total', 1, 'eventWatchesMax']])
    const details = { quota: 'eventWatchesMax', max: 3, over: 'subscriber' }
    expect(more).toThrow(expect.objectContaining({ details }) as Error)
  })
})

describe('the namespace of the query', () => {
  it('is that of a body that names none', () => {
    expect(inNamespace({ host: 'h' }, 'a')).toEqual({ host: 'h', namespace: 'a' })
    expect(inNamespace({ namespace: 'a' }, 'a')).toEqual({ namespace: 'a' })
    expect(inNamespace({ namespace: 'b' }, undefined)).toEqual({ namespace: 'b' })
    for (const body of [[], null, 'a', 1]) expect(inNamespace(body, 'a')).toBe(body)
  })

  it('does not stand against that of the body', () => {
    for (const namespace of ['b', 1, null])
      expect(fieldOf(() => inNamespace({ namespace }, 'a'))).toBe('namespace')
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
