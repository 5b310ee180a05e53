/** Numbers for instances: both sides always mean the same. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeardRef } from '@rollcall/core'
import { HandleGiver, HandleTaker, type NumberedRefs } from './mapping.js'

const ref = (number: number): HeardRef => ({
  namespace: 'default',
  service: `s${number % 3}`,
  group: 'default',
  id: `id-${number}`,
  incarnation: number % 2,
})

describe('numbers of a link', () => {
  it('mean what was meant, whatever is mentioned and however small the table', () => {
    const batches = fc.array(fc.array(fc.nat(40), { maxLength: 8 }), { maxLength: 40 })
    fc.assert(
      fc.property(batches, fc.integer({ min: 8, max: 64 }), (lists, max) => {
        const giver = new HandleGiver(max)
        const taker = new HandleTaker(max)
        for (const list of lists) {
          const refs = list.map(ref)
          const travelled = JSON.parse(JSON.stringify(giver.number(refs, 0, refs.length))) as NumberedRefs
          expect(taker.read(travelled)).toEqual(refs)
        }
      }),
    )
  })

  it('cost no key again', () => {
    const giver = new HandleGiver(100)
    const refs = [ref(1), ref(2), ref(1)]
    expect(giver.number(refs, 0, 3).keys).toHaveLength(2)
    expect(giver.number(refs, 0, 3)).toEqual({ refs: [0, 1, 0] })
  })

  it.each<[string, unknown]>([
    ['a number that was not given', { refs: [0] }],
    ['a negative number', { refs: [-1] }],
    [
      'more keys than there may be',
      { keys: Array.from({ length: 5 }, () => ['n', 's', 'g', 'i', 1]), refs: [] },
    ],
    ['no name', { keys: [['n', 's/', 'g', 'i', 1]], refs: [] }],
    ['no text', { keys: [[{}, 's', 'g', 'i', 1]], refs: [] }],
    ['no id', { keys: [['n', 's', 'g', '', 1]], refs: [] }],
    ['no incarnation', { keys: [['n', 's', 'g', 'i', '1']], refs: [] }],
    ['a number from before the reset', { reset: true, refs: [0] }],
  ])('are refused: %s', (_what, numbered) => {
    const taker = new HandleTaker(4)
    if ((numbered as NumberedRefs).reset === true) taker.read({ keys: [['n', 's', 'g', 'i', 1]], refs: [] })
    expect(taker.read(numbered as NumberedRefs)).toBeUndefined()
  })
})
