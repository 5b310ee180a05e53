/** Names without case: what is found, and that nothing stays of those that left. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FoldedNames } from './folded-names.js'

const name = (service: string, namespace = 'default') => ({ namespace, service })

describe('names in lower case', () => {
  it('stand for the first spelling, in order, of those that differ in case', () => {
    const names = new FoldedNames()
    expect(names.find(name('orders'))).toBeUndefined()
    names.add(name('orderS'))
    names.add(name('Orders'))
    names.add(name('orders', 'EU'))
    expect(names.find(name('orders'))).toEqual(name('Orders'))
    expect(names.find(name('orders', 'eu'))).toEqual(name('orders', 'EU'))
    names.delete(name('Orders'))
    expect(names.find(name('orders'))).toEqual(name('orderS'))
    names.delete(name('orderS'))
    expect(names.find(name('orders'))).toBeUndefined()
  })

  it('are ends of others for as long as there is one', () => {
    const names = new FoldedNames()
    names.add(name('com.example.Orders'))
    names.add(name('org.example.orders'))
    names.add(name('plain'))
    expect(
      ['orders', 'example.orders', 'com.example.orders', 'plain'].map((end) => names.isEnd(name(end))),
    ).toEqual([true, true, false, false])
    names.delete(name('com.example.Orders'))
    expect(names.isEnd(name('example.orders'))).toBe(true)
    names.delete(name('org.example.orders'))
    expect(names.isEnd(name('example.orders'))).toBe(false)
    expect(names.isEnd(name('orders', 'other'))).toBe(false)
  })

  it('tell the same as a search through all of them, whatever comes and goes', () => {
    const part = fc.constantFrom('a', 'A', 'b', 'B')
    const services = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'))
    fc.assert(
      fc.property(fc.array(fc.tuple(services, fc.boolean()), { maxLength: 40 }), (steps) => {
        const names = new FoldedNames()
        const held = new Set<string>()
        for (const [service, comes] of steps) {
          if (comes === held.has(service)) continue
          if (comes) names.add(name(service))
          else names.delete(name(service))
          if (comes) held.add(service)
          else held.delete(service)
        }
        for (const asked of new Set(steps.map(([service]) => service.toLowerCase()))) {
          const spellings = [...held]
            .filter(
              (each) =>
                (each.toLowerCase() === asked && each !== each.toLowerCase()) ||
                (each === asked && each.includes('.')),
            )
            .sort()
          expect(names.find(name(asked))?.service).toBe(spellings[0])
          const ends = [...held].some((each) => each.toLowerCase().endsWith(`.${asked}`))
          expect(names.isEnd(name(asked))).toBe(ends)
        }
      }),
    )
  })
})
