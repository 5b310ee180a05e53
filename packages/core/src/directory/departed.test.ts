/** The order of those who left. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Departed, type Departing } from './departed.js'

interface Item extends Departing<Item> {
  readonly name: number
}

describe('what departed', () => {
  it('is read from either end, whatever was removed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 100 }), (names) => {
        const items = Array.from({ length: 21 }, (_, name): Item => ({
          name,
          older: undefined,
          newer: undefined,
        }))
        const departed = new Departed<Item>()
        const model: number[] = []
        for (const name of names) {
          const item = items[name] as Item
          const place = model.indexOf(name)
          if (place < 0) {
            departed.add(item)
            model.push(name)
          } else {
            departed.delete(item)
            model.splice(place, 1)
          }
          expect([...departed].map((each) => each.name)).toEqual(model)
          expect([...departed.latest()].map((each) => each.name)).toEqual(model.toReversed())
          expect(departed.size).toBe(model.length)
        }
      }),
    )
  })
})
