/** The content digest takes the members of metadata in one order, however many there are and however they come. */
import { formatLanes } from '@rollcall/wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { contentDigest } from './digest.js'
import { Hasher } from './hash.js'

const KEY = { namespace: 'default', service: 'orders', group: 'default', id: 'a' }

/** The digest as its definition says it, with the names as `sort` has them: by their UTF-16 units. */
function defined(metadata: Readonly<Record<string, string>>): string {
  const hasher = new Hasher()
  for (const field of Object.values(KEY)) hasher.field(field)
  hasher.integer(7).field('10.0.0.1').integer(80).field('').field('')
  for (const name of Object.keys(metadata).sort()) hasher.field(name).field(metadata[name] ?? '')
  const { hi, lo } = hasher.digest()
  return formatLanes(hi, lo)
}

it('the names of metadata count in the order of their UTF-16 units', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constantFrom('ab', 'a', 'b', '10', '9'),
  )
  const pairs = fc.array(fc.tuple(name, fc.string({ maxLength: 3 })), { maxLength: 40 })
  fc.assert(
    fc.property(pairs, (members) => {
      const metadata = Object.fromEntries(members)
      expect(contentDigest(KEY, 7, { host: '10.0.0.1', port: 80, metadata })).toBe(defined(metadata))
    }),
  )
})
