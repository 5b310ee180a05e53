/** Signs: sums of digests, by vectors and by laws. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_SIGN, formatLanes, isSign, mix, parseLanes, signOf, SignSum, STATE_NUMBERS } from './sign.js'
import type { State } from './types.js'

interface Vectors {
  readonly mix: readonly { content: string; state: State; number: number; weight: number; shown: string }[]
  readonly sums: readonly { digests: readonly string[]; sign: string }[]
  readonly story: {
    readonly before: { sign: string; instances: readonly { id: string; digest: string }[] }
    readonly delta: {
      from: string
      to: string
      upserts: readonly { id: string; digest: string }[]
      removes: readonly { id: string }[]
    }
    readonly after: { sign: string; instances: readonly { id: string; digest: string }[] }
  }
}
const vectors = JSON.parse(readFileSync(new URL('../vectors/sign.json', import.meta.url), 'utf8')) as Vectors

const lane = fc.nat({ max: 0xffffffff })
const digest = fc.tuple(lane, lane).map(([hi, lo]) => formatLanes(hi, lo))

function shown(content: string, number: number, weight: number): string {
  const { hi, lo } = mix(parseLanes(content), number, weight)
  return formatLanes(hi, lo)
}

describe('mix', () => {
  it('agrees with every vector, and the state numbers are those of the vectors', () => {
    expect(vectors.mix.length).toBeGreaterThan(100)
    for (const vector of vectors.mix) {
      expect(STATE_NUMBERS[vector.state]).toBe(vector.number)
      expect(shown(vector.content, vector.number, vector.weight)).toBe(vector.shown)
    }
  })

  it('gives different digests for different states and weights of one content', () => {
    fc.assert(
      fc.property(digest, (content) => {
        const seen = new Set<string>()
        for (const number of Object.values(STATE_NUMBERS)) {
          for (let weight = 0; weight <= 65_535; weight += 1_311) seen.add(shown(content, number, weight))
        }
        expect(seen.size).toBe(6 * 50)
      }),
      { numRuns: 50 },
    )
  })

  it('is a bijection of the content: neighbouring contents never meet', () => {
    const seen = new Set<string>()
    for (let lo = 0; lo < 50_000; lo++) seen.add(shown(formatLanes(0x12345678, lo), 2, 100))
    for (let hi = 0; hi < 50_000; hi++) seen.add(shown(formatLanes(hi, 0x9abcdef0), 2, 100))
    expect(seen.size).toBe(100_000)
  })
})

describe('signs of lists', () => {
  const upAt = (content: string, weight: number): { digest: string } => ({
    digest: shown(content, STATE_NUMBERS.up, weight),
  })

  it('agrees with every vector of sums', () => {
    for (const { digests, sign } of vectors.sums)
      expect(signOf(digests.map((each) => ({ digest: each })))).toBe(sign)
  })

  it('changes when two instances swap their weights, or their states', () => {
    fc.assert(
      fc.property(digest, digest, fc.nat(65_535), fc.nat(65_535), (one, two, a, b) => {
        fc.pre(one !== two && a !== b)
        expect(signOf([upAt(one, a), upAt(two, b)])).not.toBe(signOf([upAt(one, b), upAt(two, a)]))
      }),
    )
    fc.assert(
      fc.property(digest, digest, fc.constantFrom(1, 2, 3), fc.constantFrom(4, 5, 6), (one, two, a, b) => {
        fc.pre(one !== two)
        const before = signOf([{ digest: shown(one, a, 100) }, { digest: shown(two, b, 100) }])
        const after = signOf([{ digest: shown(one, b, 100) }, { digest: shown(two, a, 100) }])
        expect(after).not.toBe(before)
      }),
    )
  })

  it('is different for every small change of a list of 300', () => {
    const contents = Array.from({ length: 300 }, (_, index) => formatLanes(index * 2_654_435_761, index))
    const signs = new Set<string>()
    for (let index = 0; index < contents.length; index++) {
      signs.add(signOf(contents.map((content, at) => upAt(content, at === index ? 101 : 100))))
    }
    expect(signs.size).toBe(300)
  })

  it('does not depend on order, and taking away undoes adding', () => {
    fc.assert(
      fc.property(fc.array(digest), fc.array(digest), (kept, passing) => {
        const sum = new SignSum()
        for (const each of [...kept, ...passing]) sum.addHex(each)
        for (const each of passing) sum.subtractHex(each)
        expect(sum.toString()).toBe(signOf(kept.toReversed().map((each) => ({ digest: each }))))
      }),
    )
  })

  it('walks the story of the protocol document', () => {
    const { before, delta, after } = vectors.story
    expect(signOf(before.instances)).toBe(before.sign)
    expect(delta.from).toBe(before.sign)
    const list = new Map(before.instances.map((instance) => [instance.id, instance]))
    for (const upsert of delta.upserts) list.set(upsert.id, upsert)
    for (const remove of delta.removes) list.delete(remove.id)
    expect(signOf(list.values())).toBe(delta.to)
    expect(delta.to).toBe(after.sign)
    expect([...list.values()]).toEqual(after.instances)
  })

  it('knows its own form', () => {
    expect(signOf([])).toBe(EMPTY_SIGN)
    expect(isSign(EMPTY_SIGN)).toBe(true)
    for (const bad of ['', '0', 'ABCDEF0123456789', '0123456789abcdeg', '00000000000000000'])
      expect(isSign(bad)).toBe(false)
  })
})
