/** Lookups over HTTP: what they ask of the registry, by how their answers are made. */
import type { Queries, Registry } from '@rollcall/core'
import type { ParametersOf } from '@rollcall/wire/schemas'
import { describe, expect, it } from 'vitest'
import type { Exchange } from '../../http/exchange.js'
import { createLookups } from './lookups.js'
import type { HandlerDeps } from './deps.js'

const SIGN = '0123456789abcdef'

describe('the list of services over HTTP', () => {
  it('is not made to say that it is unchanged', () => {
    const asked: string[] = []
    const read = {
      servicesSign: () => SIGN,
      services: () => {
        asked.push('services')
        return { services: [], sign: SIGN }
      },
    } as unknown as Queries
    const answered: unknown[] = []
    const ask = (ifNoneMatch: string | undefined): void => {
      const exchange = {
        caller: {},
        headers: { ifNoneMatch },
        unchanged: (tag: string) => answered.push([304, tag]),
        text: (status: number, _body: string, tag: string) => answered.push([status, tag]),
      } as unknown as Exchange
      const registry = { read: () => read } as unknown as Registry
      const node = { readiness: () => ({ ready: true }) }
      const { listServices } = createLookups({ registry, node } as unknown as HandlerDeps)
      void listServices(exchange, {} as ParametersOf<'listServices'>)
    }
    ask(`W/"${SIGN}"`)
    expect([asked, answered]).toEqual([[], [[304, `W/"${SIGN}"`]]])
    ask('W/"fedcba9876543210"')
    expect([asked, answered[1]]).toEqual([['services'], [200, `W/"${SIGN}"`]])
  })
})
