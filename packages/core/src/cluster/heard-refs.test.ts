/** The map by instances: as a map by the text of the whole key would be. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeardRefMap } from './heard-refs.js'
import type { HeardRef } from '../ports.js'

it('holds a value for each instance and incarnation, also where ids repeat', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const ref: fc.Arbitrary<HeardRef> = fc.record({
    namespace: name,
    service: name,
    group: name,
    id: fc.constantFrom('1', '2'),
    incarnation: fc.nat(2),
  })
  fc.assert(
    fc.property(fc.array(ref, { maxLength: 200 }), (refs) => {
      const map = new HeardRefMap<number>()
      const model = new Map<string, number>()
      for (const [index, each] of refs.entries()) {
        const text = JSON.stringify(Object.values(each))
        expect(map.get(each)).toBe(model.get(text))
        if (model.has(text)) continue
        map.add({ ...each }, index)
        model.set(text, index)
      }
      expect(map.size).toBe(model.size)
      map.clear()
      expect([map.size, ...refs.map((each) => map.get(each))].filter(Boolean)).toEqual([])
    }),
  )
})
