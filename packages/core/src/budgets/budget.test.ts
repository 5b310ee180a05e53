/** A bounded amount: who may take what, and that the books agree. */
import { isRegistryError } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_METER } from '../metrics.js'
import { Budget } from './budget.js'
import { PEER_DEFAULTS } from './peer.js'

const A = '10.0.0.1'
const B = '10.0.0.2'

function budget(max = 100, sharedNetworks: readonly string[] = []): Budget {
  return new Budget(
    { bounds: { ...PEER_DEFAULTS, sharedNetworks } },
    { quota: 'answerBytesMax', max, what: 'bytes of unsent answers' },
  )
}

function refusalOf(step: () => void): unknown {
  try {
    step()
  } catch (error) {
    if (isRegistryError(error)) return error.toBody()
    throw error
  }
  return undefined
}

describe('a budget', () => {
  it('gives one peer three quarters, and the rest to others', () => {
    const budgetOf100 = budget()
    budgetOf100.take(A, 75)
    expect(refusalOf(() => budgetOf100.take(A, 1))).toEqual({
      code: 'limit_exceeded',
      message: 'near the limit of the node, its address holds as many bytes of unsent answers as it may',
      details: { quota: 'answerBytesMax', max: 50, over: 'peer' },
    })
    budgetOf100.take(B, 25)
    expect(budgetOf100.used).toBe(100)
  })

  it('of one gives it to the first that asks', () => {
    const smallest = budget(1)
    smallest.take(A, 1)
    expect(refusalOf(() => smallest.take(B, 1))).toMatchObject({ details: { over: 'node' } })
  })

  it('refuses what would exceed the whole, also to a peer that holds little', () => {
    const budgetOf100 = budget()
    budgetOf100.take(A, 60)
    expect(refusalOf(() => budgetOf100.take(B, 41))).toEqual({
      code: 'limit_exceeded',
      message: 'the node holds as many bytes of unsent answers as it may',
      details: { quota: 'answerBytesMax', max: 100, over: 'node' },
    })
    expect(budgetOf100.usedBy(B)).toBe(0)
  })

  it('knows a peer under each of its addresses', () => {
    const budgetOf100 = budget()
    budgetOf100.take('2001:db8::1', 40)
    budgetOf100.take('2001:db8::2', 35)
    expect(budgetOf100.usedBy('2001:db8::3')).toBe(75)
    expect(refusalOf(() => budgetOf100.take('2001:db8::3', 1))).toMatchObject({ details: { over: 'peer' } })
    budgetOf100.take('2001:db8:0:1::1', 1)
  })

  it('bounds neither a shared network nor the node itself by a share', () => {
    const shared = budget(100, ['10.0.0.0/24'])
    shared.take(A, 100)
    const own = budget()
    own.take(undefined, 100)
    expect([shared.used, own.used]).toEqual([100, 100])
  })

  it('lets through what must get through, and refuses the next', () => {
    const budgetOf100 = budget()
    budgetOf100.add(A, 120)
    expect(budgetOf100.used).toBe(120)
    expect(refusalOf(() => budgetOf100.take(B, 1))).toMatchObject({ details: { over: 'node' } })
  })

  it('counts refusals by quota', () => {
    const counted: unknown[] = []
    const meter = { ...NO_METER, count: (...call: unknown[]) => void counted.push(call) }
    const small = new Budget({ meter }, { quota: 'watchesMax', max: 1, what: 'watches' })
    expect(small.refusal(A, 2)?.code).toBe('limit_exceeded')
    expect(counted).toEqual([['rollcall_limit_refusals_total', 1, 'watchesMax']])
  })

  it('counts it as a mistake of the node when more is given back than was taken, and goes on', () => {
    const counted: unknown[] = []
    const meter = { ...NO_METER, count: (...call: unknown[]) => void counted.push(call) }
    const books = new Budget({ meter }, { quota: 'watchesMax', max: 10, what: 'watches' })
    books.take(A, 1)
    books.take(B, 2)
    books.give(A, 2)
    expect([books.usedBy(A), books.usedBy(B), books.used]).toEqual([0, 2, 2])
    expect(counted).toEqual([['rollcall_budget_faults_total', 1, 'watchesMax']])
  })

  it('agrees with its peers, is never negative nor above its bound, and keeps no peer that holds nothing', () => {
    const addresses = [A, B, '::1', '2001:db8::1', '2001:db8::2', undefined]
    const steps = fc.array(
      fc.record({
        who: fc.nat(addresses.length - 1),
        amount: fc.integer({ min: 1, max: 60 }),
        back: fc.boolean(),
      }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(steps, (all) => {
        const books = budget()
        const held: number[] = addresses.map(() => 0)
        for (const { who, amount, back } of all) {
          const address = addresses[who]
          if (back) {
            books.give(address, held[who] as number)
            held[who] = 0
          } else if (refusalOf(() => books.take(address, amount)) === undefined) {
            held[who] = (held[who] as number) + amount
          }
          const sum = held.reduce((a, b) => a + b, 0)
          expect(books.used).toBe(sum)
          expect(books.used).toBeLessThanOrEqual(books.max)
          const names = ['10.0.0.1', '10.0.0.2', '::1', '2001:db8::1', undefined]
          expect(names.reduce((whole, name) => whole + books.usedBy(name), 0)).toBe(sum)
        }
        for (const [who, amount] of held.entries()) books.give(addresses[who], amount)
        expect([books.used, books.peers]).toEqual([0, 0])
      }),
    )
  })
})
