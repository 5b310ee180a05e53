/** Answers that are kept for an index: made once, made anew at another, and bounded. */
import { describe, expect, it } from 'vitest'
import { KeptAnswers } from './kept-answers.js'

function scene() {
  const clock = { now: 0 }
  const answers = new KeptAnswers(() => clock.now)
  let made = 0
  const read = (key: string, index: number, pieces: Iterable<string> = ['[', '1]']): string => {
    const kept = answers.get(key, index)
    if (kept !== undefined) return kept.toString()
    made++
    return [...answers.made(key, index, pieces)].join('')
  }
  return { clock, read, made: () => made }
}

describe('answers that are kept', () => {
  it('are made once for an index', () => {
    const { read, made } = scene()
    expect([read('a', 1), read('a', 1), made()]).toEqual(['[1]', '[1]', 1])
  })

  it('are made anew for any other index, also a smaller one, and for another request', () => {
    const { read, made } = scene()
    read('a', 2)
    expect(read('a', 1, ['new'])).toBe('new')
    expect(read('b', 1, ['other'])).toBe('other')
    expect(made()).toBe(3)
  })

  it('are made anew after a second', () => {
    const { clock, read, made } = scene()
    read('a', 1)
    clock.now = 999
    read('a', 1)
    expect(made()).toBe(1)
    clock.now = 1_000
    read('a', 1)
    expect(made()).toBe(2)
  })

  it('are not kept when they are long, and not all of them when they are many', () => {
    const { read, made } = scene()
    const long = 'x'.repeat(262_145)
    expect([read('long', 1, [long]) === long, read('long', 1, [long]) === long, made()]).toEqual([
      true,
      true,
      2,
    ])
    const text = 'x'.repeat(262_144)
    for (let each = 0; each < 100; each++) read(String(each), 1, [text])
    read('99', 1, [text])
    expect(made()).toBe(102)
    read('0', 1, [text])
    expect(made()).toBe(103)
  })

  it('are not kept when their making fails or is given up', () => {
    const { read, made } = scene()
    const broken = function* (): Generator<string> {
      yield '['
      throw new Error('no more')
    }
    expect(() => read('a', 1, broken())).toThrow('no more')
    expect(read('a', 1)).toBe('[1]')
    expect(made()).toBe(2)
  })
})
