/** The order of names, ids and addresses. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareNatural } from './natural-order.js'

describe('compareNatural', () => {
  it.each([
    ['10.1.0.2 10.1.0.10 10.1.0.100'],
    ['9.0.0.1:1 10.0.0.1:9 10.0.0.1:10000'],
    ['[2001:db8::9]:80 [2001:db8::a]:80 [2001:db8::10]:9 [2001:db8::10]:80'],
    ['orders orders-2 orders-2b orders-10'],
  ])('%s', (text) => {
    const names = text.split(' ')
    expect(names.toReversed().toSorted(compareNatural)).toEqual(names)
  })

  it('is an order: reversed for swapped names, transitive, zero only for the same', () => {
    const name = fc.oneof(
      fc.stringMatching(/^[ab01:.[\]]{0,5}$/),
      fc.tuple(fc.ipV4(), fc.nat(99)).map(([host, port]) => `${host}:${port}`),
      fc.tuple(fc.ipV6(), fc.nat(99)).map(([host, port]) => `[${host}]:${port}`),
    )
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(compareNatural(a, b)) + Math.sign(compareNatural(b, a))).toBe(0)
        expect(compareNatural(a, b) === 0).toBe(a === b)
        if (compareNatural(a, b) <= 0 && compareNatural(b, c) <= 0)
          expect(compareNatural(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })
})
