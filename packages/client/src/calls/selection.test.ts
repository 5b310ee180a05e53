/** Which instance the next attempt goes to. */
import { describe, expect, it } from 'vitest'
import { createRoundRobin } from '../balancers/round-robin.js'
import { instance } from '../clusters/stage.fixture.js'
import { Selection } from './selection.js'

const [a, b, c, d] = [
  instance('a'),
  instance('b', { port: 2 }),
  instance('c', { port: 3 }),
  instance('d', { port: 4 }),
]

function stage(panicThreshold: number) {
  const trials: string[] = []
  const selection = new Selection({
    balancer: createRoundRobin(() => 0),
    panicThreshold,
    changed() {},
    trying: ({ id }) => void trials.push(id),
  })
  return { selection, trials, candidates: () => selection.candidates.map(({ id }) => id).join('') }
}

describe('the panic threshold', () => {
  it('spreads calls over all again when fewer are well', () => {
    const { selection, candidates, trials } = stage(0.5)
    selection.offer({ candidates: [a, b], trials: [], spare: [c, d], hopeless: false })
    expect(candidates()).toBe('ab')
    selection.offer({ candidates: [a], trials: [a], spare: [b, c, d], hopeless: false })
    expect(candidates()).toBe('abcd')
    // No single instance is on trial when all are called.
    for (let pick = 0; pick < 8; pick += 1) selection.pick()
    expect(trials).toEqual([])
    selection.offer({ candidates: [a, b, c], trials: [], spare: [d], hopeless: false })
    expect(candidates()).toBe('abc')
  })

  it('is off at 0', () => {
    const { selection, candidates } = stage(0)
    selection.offer({ candidates: [a], trials: [], spare: [b, c, d], hopeless: false })
    expect(candidates()).toBe('a')
  })
})

describe('another instance', () => {
  it('is none of those excepted, found by address whatever the balancer prefers', () => {
    const selection = new Selection({
      balancer: { update() {}, pick: () => a },
      panicThreshold: 0,
      changed() {},
      trying() {},
    })
    selection.offer({ candidates: [a, b], trials: [], spare: [], hopeless: false })
    expect(selection.pickOther(new Set([{ ...a, weight: 1 }]))).toBe(b)
    expect(selection.another(new Set([a]))).toBe(true)
    expect(selection.pickOther(new Set([a, b]))).toBeUndefined()
    expect(selection.another(new Set([a, b]))).toBe(false)
  })
})
