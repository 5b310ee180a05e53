/** Which URLs mean services. */
import type { Rollcall, ServiceOptions } from '@rollcall/client'
import { describe, expect, it } from 'vitest'
import { originOf, serviceHosts } from './service-hosts.js'

const rollcall = {
  service: (name: string, options?: ServiceOptions) => ({ name, ...options }),
} as unknown as Rollcall

const found = (url: string, options: Parameters<typeof serviceHosts>[1] = {}): string | undefined =>
  serviceHosts(rollcall, options)(new URL(url))?.name

describe('a URL means a service', () => {
  it('by suffix', () => {
    expect(found('http://orders.rollcall/42')).toBe('orders')
    expect(found('https://shop.orders.rollcall/')).toBe('shop.orders')
    expect(found('http://orders.internal/', { suffix: '.internal' })).toBe('orders')
  })

  it('by an explicit list, which knows its upper case', () => {
    expect(found('http://orders/', { services: ['Orders'] })).toBe('Orders')
    expect(found('http://orders.rollcall/', { services: ['Orders'] })).toBe('Orders')
  })

  it('and is ordinary otherwise', () => {
    for (const url of [
      'http://orders/',
      'http://orders.rollcall:8080/',
      'http://rollcall/',
      'http://.rollcall/',
    ])
      expect(found(url)).toBe(undefined)
    expect(found('http://orders.rollcall/', { suffix: false })).toBe(undefined)
    expect(found('ws://orders.rollcall/')).toBe(undefined)
  })

  it('in the group that was asked for', () => {
    const service = serviceHosts(rollcall, { service: { group: 'blue' } })(new URL('http://orders.rollcall/'))
    expect(service?.group).toBe('blue')
  })
})

it('is watched as long as it is used, or for good where the program names it', () => {
  const serviceOf = serviceHosts(rollcall, { services: ['Orders'], service: { group: 'blue' } })
  expect(serviceOf(new URL('http://nobody.rollcall/'))).toEqual({
    name: 'nobody',
    idleMs: 300_000,
    group: 'blue',
  })
  expect(serviceOf(new URL('http://orders/'))).toEqual({ name: 'Orders', group: 'blue' })
  expect(serviceOf(new URL('http://orders/'))).toBe(serviceOf(new URL('http://orders.rollcall/')))
})

it('the origin is the instance with its own protocol, or that of the URL', () => {
  expect(originOf({ host: '10.0.0.1', port: 80 }, 'https:')).toBe('https://10.0.0.1:80')
  expect(originOf({ host: '::1', port: 8080, protocol: 'http' }, 'https:')).toBe('http://[::1]:8080')
  expect(originOf({ host: 'a', port: 1, protocol: 'grpc' }, 'http:')).toBe('http://a:1')
})
