/** The query of a discovery URL: what it chooses, what is ignored, what is refused. */
import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { readQuery } from './codec.js'

const ALL = { namespace: undefined, service: undefined, states: undefined }

describe('the query of targets', () => {
  it.each([
    ['/prometheus/sd', ALL],
    ['/prometheus/sd?', ALL],
    ['/prometheus/sd?namespace=&service=&state=', ALL],
    ['/prometheus/sd?tag=a&tag=b&follow', ALL],
    ['/prometheus/sd?namespace=eu&service=orders', { ...ALL, namespace: 'eu', service: 'orders' }],
    ['/prometheus/sd?service=&service=orders', { ...ALL, service: 'orders' }],
    ['/prometheus/sd?state=up,starting&state=down', { ...ALL, states: new Set(['up', 'starting', 'down']) }],
    ['/prometheus/sd?service=a%2Eb', { ...ALL, service: 'a.b' }],
  ])('%s', (url, query) => {
    expect(readQuery(url)).toEqual(query)
  })

  it.each([
    ['service=a&service=b', 'service'],
    ['namespace=a%20b', 'namespace'],
    ['state=UP', 'state'],
    ['state=up,lost', 'state'],
  ])('refuses %s', (query, field) => {
    let fault: unknown
    try {
      readQuery(`/prometheus/sd?${query}`)
    } catch (error) {
      fault = error
    }
    expect(isRegistryError(fault) && [fault.code, fault.field]).toEqual(['invalid_argument', field])
  })
})
