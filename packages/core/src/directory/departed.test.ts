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

  it('is read whole over several turns: whatever comes and goes meanwhile, what stays is told once', () => {
    const changes = fc.array(fc.nat(20), { maxLength: 4 })
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(20)), fc.array(changes, { maxLength: 25 }), (names, turns) => {
        const items = Array.from({ length: 21 }, (_, name): Item => ({
          name,
          older: undefined,
          newer: undefined,
        }))
        const departed = new Departed<Item>()
        const held = new Set(names)
        const changed = new Set<number>()
        for (const name of names) departed.add(items[name] as Item)
        const read: number[] = []
        for (const { name } of departed) {
          read.push(name)
          for (const each of turns.shift() ?? []) {
            changed.add(each)
            const item = items[each] as Item
            if (held.delete(each)) departed.delete(item)
            else {
              held.add(each)
              departed.add(item)
            }
          }
        }
        const stayed = names.filter((name) => !changed.has(name))
        expect(read.filter((name) => stayed.includes(name))).toEqual(stayed)
      }),
    )
  })
})
